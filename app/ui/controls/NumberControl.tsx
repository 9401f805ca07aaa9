import { useId, useState, type ReactNode } from 'react';
import type { NumberField } from '../../engine/config';
import { valueAt } from '../../protocol/experiment';
import { baseExperiment, resetField, runUnderWay, trySetField } from '../../store/actions';
import { useStore } from '../../store/store';
import { parseNumber, range, setting } from '../format';
import { FieldFrame } from './FieldFrame';
import { Slider } from './Slider';

interface NumberControlProps {
  readonly path: string;
  readonly field: NumberField;
  readonly why?: ReactNode;
  /** Shown in another unit: `factor` shown units make one of the field's. */
  readonly shown?: { readonly unit: string; readonly perUnit: number };
  readonly aside?: ReactNode;
  /** What a value that is left out comes to; typing it leaves the value out again. */
  readonly absent?: number;
}

/** A typed value with its slider. What does not fit stays in the box with a message, and is not applied. */
export function NumberControl({ path, field, why, shown, aside, absent }: NumberControlProps) {
  const id = useId();
  const value = useStore((s) => valueAt(s.experiment, path) ?? absent) as number;
  const base = useStore((s) => valueAt(baseExperiment(s.preset, s.experiment), path) ?? absent) as number;
  const set = (next: number) => trySetField(path, next === absent ? undefined : next);
  const [draft, setDraft] = useState<string | null>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const [error, setError] = useState<string | undefined>(undefined);
  const unit = shown?.unit ?? field.unit ?? '';
  const show = (v: number) => setting(shown ? Number((v / shown.perUnit).toPrecision(4)) : v);

  const commit = (typed: string) => {
    const number = parseNumber(typed, unit);
    if (Number.isNaN(number)) {
      setError(`${field.label} must be a number ${range(field.min, field.max)}.`);
      return;
    }
    const next = shown ? Math.round(number * shown.perUnit) : number;
    const problem = next === value ? undefined : set(next);
    setError(problem);
    if (problem === undefined) setDraft(null);
  };
  const move = (next: number) => {
    setDraft(null);
    const clamped = Math.min(field.max, Math.max(field.min, next));
    // A change that would end a run waits for the thumb to be let go, then asks; the others follow the thumb.
    if (!field.live && runUnderWay()) setDragged(clamped);
    else setError(set(clamped));
  };
  const done = () => {
    if (dragged === null) return;
    setDragged(null);
    setError(set(dragged));
  };
  const current = dragged ?? value;
  const withUnit = unit ? `${show(current)} ${unit}` : show(current);
  return (
    <FieldFrame
      label={field.label}
      htmlFor={id}
      live={field.live === true}
      changed={value !== base}
      was={show(base)}
      onReset={() => {
        setDraft(null);
        setError(undefined);
        resetField(path);
      }}
      why={why ?? field.why}
      error={error}
      errorId={`${id}-error`}
      control={
        <>
          <input
            id={id}
            className={withUnit.length > 8 ? 'val wide' : 'val'}
            inputMode="decimal"
            autoComplete="off"
            spellCheck={false}
            value={draft ?? withUnit}
            aria-invalid={error !== undefined}
            aria-describedby={error ? `${id}-error` : undefined}
            onFocus={(event) => {
              if (draft === null) setDraft(show(value));
              const box = event.currentTarget;
              requestAnimationFrame(() => box.select());
            }}
            onChange={(event) => setDraft(event.currentTarget.value)}
            onBlur={(event) => {
              commit(event.currentTarget.value);
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') {
                // The question that may follow takes the focus; the same key press must not answer it.
                event.preventDefault();
                commit(event.currentTarget.value);
              }
              if (event.key === 'Escape') {
                event.stopPropagation();
                setDraft(show(value));
                setError(undefined);
              }
            }}
          />
        </>
      }
    >
      <Slider {...field.slider} label={field.label} value={current} valueText={withUnit} onMove={move} onDone={done} />
      {aside}
    </FieldFrame>
  );
}
