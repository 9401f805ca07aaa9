import type { MatrixPlan } from '../../protocol/messages';
import { select } from '../../store/actions';
import { useStore } from '../../store/store';

const KIND: Record<MatrixPlan['kind'], string> = {
  q: 'Q',
  k: 'K',
  v: 'V',
  qkv: 'QKV',
  proj: 'proj',
  fc1: 'fc1',
  fc2: 'fc2',
  head: 'head',
  patch_embed: 'patch',
};

interface Row {
  readonly first: MatrixPlan;
  readonly blocks: number[];
}

/** Matrices that are alike but for their block share a row. */
function rowsOf(matrices: readonly MatrixPlan[]): Row[] {
  const rows = new Map<string, Row>();
  for (const m of matrices) {
    const key = [m.kind, m.rows, m.cols, m.targetRank, m.regularized].join();
    const row = rows.get(key);
    if (row) row.blocks.push(m.block);
    else rows.set(key, { first: m, blocks: [m.block] });
  }
  return [...rows.values()];
}

const blocksText = (blocks: readonly number[]): string => {
  const low = Math.min(...blocks);
  const high = Math.max(...blocks);
  if (low < 0) return '–';
  if (low === high) return String(low);
  return high - low + 1 === blocks.length ? `${low}–${high}` : blocks.join(', ');
};

/** Size and target rank of every matrix, before a run starts. */
export function RankTable({ matrices, dense }: { matrices: readonly MatrixPlan[]; dense: boolean }) {
  const selected = useStore((s) => s.selected);
  return (
    <details className="ranks">
      <summary>Target rank of all {matrices.length} matrices</summary>
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
          {rowsOf(matrices).map(({ first: m, blocks }) => (
            <tr key={m.name} aria-current={m.name === selected || undefined}>
              <td>
                <button type="button" className="link" onClick={() => select(m.name)}>
                  {KIND[m.kind]}
                </button>
              </td>
              <td>{blocksText(blocks)}</td>
              <td className="num">
                {m.rows} × {m.cols}
              </td>
              <td className="num">{m.regularized || dense ? m.targetRank : 'not regularized'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
