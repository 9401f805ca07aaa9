import { useId, type ReactNode } from 'react';
import type { ChoiceField, FlagField, SetField } from '../../engine/config';
import { fieldAt, valueAt } from '../../protocol/experiment';
import { attempt, baseExperiment, resetField, setField } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldFrame } from './FieldFrame';
import { LockedField, useStanding } from './LockedField';
import { NumberControl } from './NumberControl';

interface FieldControlProps {
  readonly path: string;
  /** In place of the field's own line of why. */
  readonly why?: ReactNode;
}

const apply = (path: string, value: unknown) => attempt(Promise.resolve().then(() => setField(path, value)));
/** More options than fit side by side become a menu. */
const SIDE_BY_SIDE = 30;
/** A menu with a longer option stands under its label. */
const BESIDE_LABEL = 14;

/** The control of a field, made from its description. */
export function FieldControl({ path, why }: FieldControlProps) {
  const field = fieldAt(path);
  const lock = useStanding(path);
  if (!field) throw new Error(`there is no field ${path}`);
  if (lock === 'hidden') return null;
  if (lock === 'locked') return <LockedField path={path} why={why} />;
  switch (field.kind) {
    case 'int':
    case 'float':
      return <NumberControl path={path} field={field} why={why} />;
    case 'choice':
      return <ChoiceControl path={path} field={field} why={why} />;
    case 'flag':
      return <FlagControl path={path} field={field} why={why} />;
    case 'set':
      return <SetControl path={path} field={field} why={why} />;
  }
}

function ChoiceControl({ path, field, why }: FieldControlProps & { field: ChoiceField }) {
  const id = useId();
  const value = useStore((s) => valueAt(s.experiment, path)) as string;
  const base = useStore((s) => valueAt(baseExperiment(s.preset, s.experiment), path)) as string;
  const option = field.options.find((o) => o.value === value);
  const label = (v: string) => field.options.find((o) => o.value === v)?.label ?? v;
  const frame = {
    label: field.label,
    live: field.live === true,
    changed: value !== base,
    was: label(base),
    onReset: () => resetField(path),
    why: why ?? option?.why ?? field.why,
  };
  if (field.options.length > 2 && field.options.map((o) => o.label).join('').length > SIDE_BY_SIDE) {
    const long = field.options.some((o) => o.label.length > BESIDE_LABEL);
    const menu = (
      <select
        id={id}
        className={long ? 'val menu long' : 'val menu'}
        value={value}
        onChange={(event) => apply(path, event.currentTarget.value)}
      >
        {field.options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </select>
    );
    return long ? (
      <FieldFrame {...frame} htmlFor={id}>
        {menu}
      </FieldFrame>
    ) : (
      <FieldFrame {...frame} htmlFor={id} control={menu} />
    );
  }
  return (
    <FieldFrame {...frame} labelId={id}>
      <div className="seg" role="group" aria-labelledby={id}>
        {field.options.map((o) => (
          <button key={o.value} type="button" aria-pressed={o.value === value} title={o.why} onClick={() => apply(path, o.value)}>
            {o.label}
          </button>
        ))}
      </div>
    </FieldFrame>
  );
}

function FlagControl({ path, field, why }: FieldControlProps & { field: FlagField }) {
  const id = useId();
  const value = useStore((s) => valueAt(s.experiment, path)) as boolean;
  const base = useStore((s) => valueAt(baseExperiment(s.preset, s.experiment), path)) as boolean;
  return (
    <FieldFrame
      label={field.label}
      htmlFor={id}
      live={field.live === true}
      changed={value !== base}
      was={base ? 'on' : 'off'}
      onReset={() => resetField(path)}
      why={why ?? field.why}
      control={
        <input
          id={id}
          type="checkbox"
          role="switch"
          className="switch"
          checked={value}
          onChange={(event) => apply(path, event.currentTarget.checked)}
        />
      }
    />
  );
}

function SetControl({ path, field, why }: FieldControlProps & { field: SetField }) {
  const id = useId();
  const value = useStore((s) => valueAt(s.experiment, path)) as string[];
  const base = useStore((s) => (valueAt(baseExperiment(s.preset, s.experiment), path) as string[]).join(', '));
  // In the order of the options, so that the same choice is always the same list.
  const toggled = (name: string) => field.options.map((o) => o.value).filter((o) => (o === name ? !value.includes(o) : value.includes(o)));
  return (
    <FieldFrame
      label={field.label}
      labelId={id}
      live={field.live === true}
      changed={value.join(', ') !== base}
      was={base || 'none'}
      onReset={() => resetField(path)}
      why={why ?? field.why}
    >
      <div className="chips" role="group" aria-labelledby={id}>
        {field.options.map((o) => (
          <button
            key={o.value}
            type="button"
            className="chip"
            aria-pressed={value.includes(o.value)}
            onClick={() => apply(path, toggled(o.value))}
          >
            {o.label}
          </button>
        ))}
      </div>
    </FieldFrame>
  );
}
