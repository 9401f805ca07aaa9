import { useEffect, useRef, useState } from 'react';
import { differences } from '../../protocol/experiment';
import type { Mark } from '../../protocol/messages';
import { labelOf, valueText } from '../../protocol/settings';
import { attempt, differRuns } from '../../store/actions';
import { getRun } from '../../store/runs';
import { useStore } from '../../store/store';
import { useStandings } from '../controls/LockedField';
import { duration, moment, setting, whole } from '../format';
import { Icon } from '../icons';
import { percent, stateText } from './tableRows';

/** All settings in which two runs differ, what they reached, and what was changed on the way. */
export function DifferenceDialog({ ids }: { ids: readonly [string, string] }) {
  const sheet = useRef<HTMLDialogElement>(null);
  const runs = useStore((s) => s.runs);
  const here = useStore((s) => (s.replay ? null : s.runHere));
  const stands = useStandings();
  const [marks, setMarks] = useState<Readonly<Record<string, readonly Mark[]>>>({});
  useEffect(() => {
    if (!sheet.current?.open) sheet.current?.showModal();
    let gone = false;
    const load = async () => {
      const records = await Promise.all(ids.map(getRun));
      if (!gone) setMarks(Object.fromEntries(records.map((record) => [record.id, record.marks])));
    };
    attempt(load());
    return () => {
      gone = true;
    };
  }, [ids]);
  const [a, b] = ids.map((id) => runs.find((run) => run.id === id));
  if (!a || !b) return null;
  const paths = differences(a.experiment, b.experiment).filter((path) => stands(path) !== 'hidden');
  const reached: readonly (readonly [string, string, string])[] = [
    ['State', stateText(a, a.id === here), stateText(b, b.id === here)],
    ['Accuracy, %', percent(a.accuracy), percent(b.accuracy)],
    ['At 20 % kept, %', percent(a.accuracyCut), percent(b.accuracyCut)],
    ['Tail, %', percent(a.tail), percent(b.tail)],
    ['Training time', duration(a.elapsedMs / 1000), duration(b.elapsedMs / 1000)],
    ['Device', a.device, b.device],
  ];
  const changes = [a, b].map(({ id }) => marks[id] ?? []);
  const other = (id: string, i: 0 | 1) => differRuns(i === 0 ? [id, b.id] : [a.id, id]);
  return (
    <dialog ref={sheet} className="sheet wide runs-differ" aria-labelledby="differ-title" onClose={() => differRuns(null)}>
      <div className="sheet-h">
        <h2 id="differ-title">Difference of two runs</h2>
        <button type="button" className="btn icon" aria-label="Close" onClick={() => sheet.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div className="sheet-scroll" role="region" aria-label="Difference" tabIndex={0}>
        <table className="differ-table">
          <thead>
            <tr>
              <td />
              {[a, b].map((run, i) => (
                <th key={i} scope="col">
                  <select
                    className="val"
                    aria-label={i === 0 ? 'First run' : 'Second run'}
                    value={run.id}
                    onChange={(event) => other(event.currentTarget.value, i === 0 ? 0 : 1)}
                  >
                    {runs
                      .filter(({ id }) => id !== (i === 0 ? b.id : a.id))
                      .map(({ id, name, date }) => (
                        <option key={id} value={id}>
                          {name}, {moment(date)}
                        </option>
                      ))}
                  </select>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {paths.length === 0 && (
              <tr>
                <th scope="row">Settings</th>
                <td colSpan={2}>the same in every field</td>
              </tr>
            )}
            {paths.map((path) => (
              <tr key={path}>
                <th scope="row">{labelOf(path)}</th>
                <td>{valueText(a.experiment, path)}</td>
                <td>{valueText(b.experiment, path)}</td>
              </tr>
            ))}
          </tbody>
          <tbody>
            {reached.map(([label, x, y]) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td>{x}</td>
                <td>{y}</td>
              </tr>
            ))}
            {changes.some((list) => list.length > 0) && (
              <tr>
                <th scope="row">Changed in the run</th>
                {changes.map((list, i) => (
                  <td key={i}>
                    {list.length === 0 ? '–' : null}
                    {list.map((mark, j) => (
                      <div key={j}>
                        step {whole(mark.step)}: {labelOf(mark.field)} {setting(mark.from)} → {setting(mark.to)}
                      </div>
                    ))}
                  </td>
                ))}
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </dialog>
  );
}
