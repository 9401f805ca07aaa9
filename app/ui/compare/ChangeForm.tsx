import { useId, useState, type SyntheticEvent } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { ConfigError, DATASETS, fieldAt, isLive, valueAt, type Experiment } from '../../protocol/experiment';
import { FIELD_PATHS, labelOf, valueText } from '../../protocol/settings';
import { attempt } from '../../store/actions';
import { setExperiments } from '../../store/compare/ab';
import { useAb } from '../../store/compare/abStore';
import { withValue } from '../../store/compare/values';
import { LockedFigure, useStandings } from '../controls/LockedField';
import { DATASET_CONFIGS } from '../datasets';
import { setting } from '../format';

/** What one most often changes in a pair comes first. */
const FIRST = ['method.lambda', 'method.targetRank', 'train.lr', 'method.reweightEvery'];
const LIVE = [...FIRST, ...FIELD_PATHS.filter((path) => isLive(path) && !FIRST.includes(path))];
const OTHER = FIELD_PATHS.filter((path) => !isLive(path));

/** A value as it stands in a text box. */
function typed(path: string, experiment: Experiment): string {
  if (path === 'dataset') return experiment.dataset;
  const value = valueAt(experiment, path);
  return typeof value === 'number' ? setting(value) : Array.isArray(value) ? value.join(', ') : String(value);
}

/** Changes a setting of either side or of both; live ones reach the runs between the same two steps. */
export function ChangeForm() {
  const id = useId();
  const { a, b } = useAb(useShallow((s) => ({ a: s.a.experiment, b: s.b.experiment })));
  const stands = useStandings();
  const seen = (field: string) => stands(field) !== 'hidden';
  const [picked, setPath] = useState<string>();
  const path = picked ?? [...LIVE, ...OTHER].find((field) => stands(field) === 'free') ?? [...LIVE, ...OTHER].find(seen);
  const [draft, setDraft] = useState<{ a?: string; b?: string }>({});
  const [problem, setProblem] = useState<string>();
  const choose = (next: string) => {
    setPath(next);
    setDraft({});
    setProblem(undefined);
  };
  if (path === undefined) return <p className="cmp-text">The link of this page leaves no setting to change.</p>;
  const locked = stands(path) === 'locked';
  const left = draft.a ?? typed(path, a);
  const right = draft.b ?? typed(path, b);
  const apply = (event: SyntheticEvent) => {
    event.preventDefault();
    try {
      const next = { a: withValue(a, path, left), b: withValue(b, path, right) };
      setProblem(undefined);
      setDraft({});
      attempt(setExperiments(next.a, next.b, labelOf(path)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      setProblem(error.message);
    }
  };
  const control = (side: 'a' | 'b', value: string) => {
    const label = `${labelOf(path)}, ${side.toUpperCase()}`;
    const change = (next: string) => setDraft((d) => ({ ...d, [side]: next }));
    const options = optionsOf(path);
    const Value = locked ? 'span' : 'label';
    return (
      <Value className="cmp-value">
        <span aria-hidden="true">{side.toUpperCase()}</span>
        {locked ? (
          <LockedFigure label={label} text={valueText(side === 'a' ? a : b, path)} />
        ) : options ? (
          <select className="val" aria-label={label} value={value} onChange={(event) => change(event.currentTarget.value)}>
            {options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </select>
        ) : (
          <input
            className="val"
            aria-label={label}
            inputMode="text"
            autoComplete="off"
            spellCheck={false}
            value={value}
            aria-invalid={problem !== undefined}
            aria-describedby={problem ? `${id}-problem` : undefined}
            onChange={(event) => change(event.currentTarget.value)}
          />
        )}
      </Value>
    );
  };
  return (
    <form className="cmp-change" onSubmit={apply} aria-label="Change a setting">
      <select className="val" aria-label="Setting to change" value={path} onChange={(event) => choose(event.currentTarget.value)}>
        <optgroup label="While they run">
          {LIVE.filter(seen).map((field) => (
            <option key={field} value={field}>
              {labelOf(field)}
              {stands(field) === 'locked' && ' (locked)'}
            </option>
          ))}
        </optgroup>
        <optgroup label="From step 0">
          {OTHER.filter(seen).map((field) => (
            <option key={field} value={field}>
              {labelOf(field)}
              {stands(field) === 'locked' && ' (locked)'}
            </option>
          ))}
        </optgroup>
      </select>
      <div className="cmp-values">
        {control('a', left)}
        {control('b', right)}
        {!locked && (
          <button type="submit" className="btn line sm">
            Apply
          </button>
        )}
      </div>
      {problem && (
        <p className="why bad" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

function optionsOf(path: string): readonly { value: string; label: string }[] | null {
  if (path === 'dataset') return DATASETS.map((value) => ({ value, label: DATASET_CONFIGS[value].label }));
  const field = fieldAt(path);
  if (field?.kind === 'choice') return field.options;
  return field?.kind === 'flag'
    ? [
        { value: 'true', label: 'on' },
        { value: 'false', label: 'off' },
      ]
    : null;
}
