import { useEffect, useRef, useState } from 'react';
import { batchesApart, startsApart } from '../../protocol/compare';
import { DATASETS, differences, GROUPS, valueAt } from '../../protocol/experiment';
import { labelOf, valueText } from '../../protocol/settings';
import { attempt, blockedBecause, cancelFork, setField, show, startFork } from '../../store/actions';
import { getState, useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { useStandings } from '../controls/LockedField';
import { DATASET_CONFIGS } from '../datasets';

/** Starts a kept run again from the same weights and batches, with one setting changed. */
export function ForkDialog() {
  const sheet = useRef<HTMLDialogElement>(null);
  const fork = useStore((s) => s.runFork);
  const experiment = useStore((s) => s.experiment);
  const blocked = useStore(() => blockedBecause());
  const stands = useStandings();
  const [path, setPath] = useState(() => {
    const wanted = fork?.from.method.name === 'adamw' ? 'method.name' : 'method.lambda';
    const all = GROUPS.flatMap((group) => group.fields.map(({ key }) => `${group.section}.${key}`));
    return [wanted, ...all].find((field) => stands(field) === 'free') ?? wanted;
  });
  useEffect(() => {
    if (!sheet.current?.open) sheet.current?.showModal();
  }, []);
  if (!fork) return null;
  const changed = differences(fork.from, experiment);
  const apart = startsApart(fork.from, experiment) ?? batchesApart(fork.from, experiment);
  const choose = (next: string) => {
    // One change: the field left behind is as it was.
    show(structuredClone(fork.from));
    setPath(next);
  };
  return (
    <dialog ref={sheet} className="sheet runs-fork" aria-labelledby="fork-title" onClose={cancelFork}>
      <h2 id="fork-title">Same start, one change</h2>
      <p>
        A new run with all settings of “{fork.name}”: the same initial weights and the same batches in the same order, but for one change.
        {getState().step > 0 ? ' The run on screen ends; it stays in the table.' : ''}
      </p>
      <label className="fork-pick">
        What changes
        <select className="val" value={path} onChange={(event) => choose(event.currentTarget.value)}>
          {GROUPS.map((group) => (
            <optgroup key={group.section} label={group.title}>
              {group.fields
                .filter(
                  ({ key }) =>
                    valueAt(fork.from, `${group.section}.${key}`) !== undefined && stands(`${group.section}.${key}`) !== 'hidden',
                )
                .map((field) => (
                  <option key={field.key} value={`${group.section}.${field.key}`}>
                    {field.label}
                    {stands(`${group.section}.${field.key}`) === 'locked' && ' (locked)'}
                  </option>
                ))}
            </optgroup>
          ))}
          {stands('dataset') === 'free' && (
            <optgroup label="Data">
              <option value="dataset">Data set</option>
            </optgroup>
          )}
        </select>
      </label>
      <div className="fork-field" key={path}>
        {path === 'dataset' ? <DataChoice /> : <FieldControl path={path} />}
      </div>
      <p className="fork-said" role="status">
        {changed.length === 0
          ? 'Nothing is changed yet.'
          : changed.map((p) => `${labelOf(p)}: ${valueText(fork.from, p)} → ${valueText(experiment, p)}`).join('; ')}
        {apart !== null && `. ${labelOf(apart)} changes the start itself: the initial weights or the batches are not the same.`}
      </p>
      {blocked !== undefined && (
        <p className="why bad" role="alert">
          {blocked}
        </p>
      )}
      <div className="acts">
        <button
          type="button"
          className="btn primary"
          disabled={changed.length === 0 || blocked !== undefined}
          onClick={() => attempt(startFork())}
        >
          Start
        </button>
        <button type="button" className="btn line" onClick={cancelFork}>
          Cancel
        </button>
      </div>
    </dialog>
  );
}

function DataChoice() {
  const value = useStore((s) => s.experiment.dataset);
  return (
    <label className="fork-pick">
      Data set
      <select className="val" value={value} onChange={(event) => setField('dataset', event.currentTarget.value)}>
        {DATASETS.map((name) => (
          <option key={name} value={name}>
            {DATASET_CONFIGS[name].label}
          </option>
        ))}
      </select>
    </label>
  );
}
