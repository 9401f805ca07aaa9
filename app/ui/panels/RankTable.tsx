import { useState } from 'react';
import { TECHNIQUES } from '../../engine/regularizers/config';
import type { MatrixPlan } from '../../protocol/messages';
import { select } from '../../store/actions';
import { useStore } from '../../store/store';
import { useStanding } from '../controls/LockedField';
import { plural, setting } from '../format';
import { Icon } from '../icons';
import { MatrixSheet } from './MatrixSheet';
import { blocksText, kindOf, summaryRows } from './matrixRows';

/** Size and target rank of every matrix, alike ones in one row; a sheet changes them one by one. Before a run and during it. */
export function RankTable({ matrices }: { matrices: readonly MatrixPlan[] }) {
  const selected = useStore((s) => s.selected);
  const overrides = useStore((s) => s.experiment.method.overrides.length);
  const name = useStore((s) => s.experiment.method.name);
  const { regularizer, factors } = TECHNIQUES[name];
  const stands = useStanding('method.overrides');
  const [open, setOpen] = useState(false);
  return (
    <>
      <details className="ranks">
        <summary>
          {factors === 'lora' ? 'Rank' : 'Target rank'} of all {matrices.length} matrices
        </summary>
        <table>
          <thead>
            <tr>
              <th>Matrix</th>
              <th>Blocks</th>
              <th className="num">Size</th>
              <th className="num">Rank</th>
            </tr>
          </thead>
          <tbody>
            {summaryRows(matrices).map(({ first: m, blocks }) => (
              <tr key={m.name} aria-current={m.name === selected || undefined} className={m.overridden ? 'own' : undefined}>
                <td>
                  <button type="button" className="link" onClick={() => select(m.name)}>
                    {kindOf(m)}
                  </button>
                </td>
                <td>{blocksText(blocks)}</td>
                <td className="num">
                  {m.rows} × {m.cols}
                </td>
                <td className="num">
                  {rankText(m, regularizer === 'q3r')}
                  {regularizer !== 'none' && m.lambdaScale !== undefined && <small> λ × {setting(m.lambdaScale)}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      {stands !== 'hidden' && (
        <p className={overrides > 0 ? 'rank-edit changed' : 'rank-edit'}>
          <button
            type="button"
            className="btn line sm"
            aria-label={stands === 'locked' ? 'Matrix by matrix…, locked' : undefined}
            onClick={() => setOpen(true)}
          >
            {stands === 'locked' && <Icon name="lock" />}
            Matrix by matrix…
          </button>
          {overrides > 0 && <span className="why">{plural(overrides, 'override')}</span>}
        </p>
      )}
      {open && <MatrixSheet onClose={() => setOpen(false)} />}
    </>
  );
}

/** What the method makes of it: its rank, or why there is none. */
export function rankText(m: MatrixPlan, q3r: boolean): string {
  if (m.off) return 'left out';
  if (q3r && !m.regularized && !m.factors) return 'not regularized';
  return String(m.targetRank);
}
