import { useState } from 'react';
import type { MatrixOverride } from '../../protocol/experiment';
import type { MatrixPlan } from '../../protocol/messages';
import { entryAt, removeOverride, setOverride, type OverrideKey } from '../../store/actions';
import { LockedFigure } from '../controls/LockedField';
import { setting } from '../format';
import { Icon } from '../icons';
import { CellNumber } from './CellNumber';
import { groupKey, keptShare, keyOf, type KindGroup } from './matrixRows';

interface Shared {
  readonly overrides: readonly MatrixOverride[];
  /** The technique has a λ; the method can leave a matrix out. */
  readonly lambda: boolean;
  readonly acts: boolean;
  /** Nothing can be changed: figures stand in place of fields. */
  readonly locked: boolean;
  readonly onProblem: (message: string | undefined) => void;
}

/** One kind of matrix: a row for all blocks, and on demand one for each. */
export function MatrixGroup({ group, ...shared }: Shared & { group: KindGroup }) {
  const { label, matrices } = group;
  const [open, setOpen] = useState(false);
  const all = groupKey(group, shared.overrides);
  const single = matrices.length === 1;
  return (
    <tbody>
      {all && (
        <MatrixRow {...shared} label={label} matrices={matrices} at={all} {...(single ? {} : { open, onOpen: () => setOpen(!open) })} />
      )}
      {(open || !all) &&
        (!single || !all) &&
        matrices.map((m) => (
          <MatrixRow
            key={m.name}
            {...shared}
            label={all ? `Block ${m.block}` : `Block ${m.block} ${label}`}
            of={label}
            matrices={[m]}
            at={keyOf(m)}
            inner={all !== undefined}
          />
        ))}
    </tbody>
  );
}

interface RowProps extends Shared {
  readonly label: string;
  /** What the row belongs to, for names that are read aloud. */
  readonly of?: string;
  readonly matrices: readonly MatrixPlan[];
  readonly at: OverrideKey;
  readonly inner?: boolean;
  readonly open?: boolean;
  readonly onOpen?: () => void;
}

function MatrixRow({ label, of, matrices, at, inner, open, onOpen, overrides, lambda, acts, locked, onProblem }: RowProps) {
  const first = matrices[0]!;
  const entry = entryAt(overrides, at);
  const title = of ? `${of}, ${label.toLowerCase()}` : label;
  const all = <T,>(read: (m: MatrixPlan) => T): T | undefined => (matrices.every((m) => read(m) === read(first)) ? read(first) : undefined);
  const rank = all((m) => m.targetRank);
  const scale = all((m) => m.lambdaScale ?? 1);
  const off = all((m) => m.off === true);
  const kept = all((m) => Math.round(100 * keptShare(m)));
  const overridden = matrices.some((m) => m.overridden);
  const change = (values: Parameters<typeof setOverride>[1]) => {
    const problem = setOverride(at, values);
    onProblem(problem);
    return problem;
  };
  return (
    <tr className={`${overridden ? 'own' : ''}${inner ? ' inner' : ''}`}>
      <th scope="row">
        {onOpen ? (
          <button type="button" className="disclose" aria-expanded={open} aria-label={`${title}, block by block`} onClick={onOpen}>
            <Icon name="right" />
            {label}
          </button>
        ) : (
          <span>{label}</span>
        )}
      </th>
      <td className="num size">
        {first.rows} × {first.cols}
      </td>
      <td className="num">
        {off ? (
          <span className="quiet">–</span>
        ) : locked ? (
          <LockedFigure label={`Target rank of ${title}`} text={rank === undefined ? 'various' : setting(rank)} />
        ) : (
          <CellNumber
            label={`Target rank of ${title}`}
            value={rank}
            integer
            min={0}
            max={4096}
            onCommit={(value) => change({ rank: value })}
          />
        )}
      </td>
      {lambda && (
        <td className="num">
          {off ? (
            <span className="quiet">–</span>
          ) : locked ? (
            <LockedFigure label={`Factor of λ of ${title}`} text={scale === undefined ? 'various' : setting(scale)} />
          ) : (
            <CellNumber
              label={`Factor of λ of ${title}`}
              value={scale}
              min={0}
              max={1000}
              onCommit={(value) => change({ lambda: value === 1 ? undefined : value })}
            />
          )}
        </td>
      )}
      {acts && (
        <td className="num">
          {locked ? (
            <LockedFigure label={`The method acts on ${title}`} text={off === undefined ? 'various' : off ? 'off' : 'on'} />
          ) : (
            <input
              type="checkbox"
              role="switch"
              className="switch"
              aria-label={`The method acts on ${title}`}
              checked={off === false}
              onChange={(event) => change({ off: !event.currentTarget.checked })}
            />
          )}
        </td>
      )}
      <td className="num">{off ? '–' : kept === undefined ? 'various' : `${kept} %`}</td>
      <td className="num">
        {entry && !locked && (
          <button
            type="button"
            className="btn icon sm"
            aria-label={entry.rows ? `Remove the slice ${title}` : `${title}: back to the method’s own`}
            title={
              entry.rows
                ? 'Remove the slice'
                : `Back to the method’s own${entry.rank === undefined ? '' : ` instead of rank ${setting(entry.rank)}`}`
            }
            onClick={() => onProblem(removeOverride(at))}
          >
            <Icon name={entry.rows ? 'close' : 'reset'} />
          </button>
        )}
      </td>
    </tr>
  );
}
