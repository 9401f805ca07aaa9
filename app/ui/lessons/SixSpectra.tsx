import { useCallback } from 'react';
import type { MatrixSpectrum } from '../../protocol/messages';
import { DataTable } from '../charts/DataTable';
import { formatDecade, formatFixed, formatSignificant, kindLabel, matrixLabel } from '../charts/format';
import { text } from '../charts/canvas';
import { decadesWithin, largeDecades } from '../charts/scales';
import { decadeY, drawDecadeGrid, indexX, lastKept, SpectrumBatch, type Box } from '../charts/spectrum';
import { useCanvas, type Draw } from '../charts/useCanvas';
import { useTopDecade } from '../charts/useTopDecade';

interface SixSpectraProps {
  readonly matrices: readonly MatrixSpectrum[] | null;
  readonly before: readonly MatrixSpectrum[] | null;
}

/** The matrices of a block, large, three a row, each over what it was before this step. */
export function SixSpectra({ matrices, before }: SixSpectraProps) {
  const top = useTopDecade(matrices, before);
  const draw = useCallback<Draw>(
    (g, width, height, p) => {
      if (!matrices || matrices.length === 0) return;
      const decades = largeDecades(top);
      const ticks = decadesWithin(decades);
      const tight = width < 600;
      const columns = Math.min(3, matrices.length);
      const rows = Math.ceil(matrices.length / columns);
      const [left, gap, between] = [38 * p.scale, tight ? 12 : 28, tight ? 6 : 14];
      const cell = (width - left - gap * (columns - 1) - 2) / columns;
      const tall = (height - between * (rows - 1)) / rows;
      const [above, below] = [20 * p.scale, (tight ? 6 : 20) * p.scale];
      const batch = new SpectrumBatch(g, decades);
      matrices.forEach((m, i) => {
        const box: Box = {
          x: left + (i % columns) * (cell + gap),
          y: Math.floor(i / columns) * (tall + between) + above,
          width: cell,
          height: Math.max(8, tall - above - below),
        };
        drawDecadeGrid(g, p, box, decades, ticks);
        if (i % columns === 0)
          for (const d of ticks)
            if (box.height > 90 || d % 2 === 0)
              text(g, p, formatDecade(d), box.x - 8, decadeY(box, decades, d) + 0.5, { align: 'right', baseline: 'middle' });
        text(g, p, kindLabel(m.kind), box.x, box.y - 7, { size: 12, weight: 600, color: p.text1 });
        text(g, p, `rank ${formatFixed(m.effectiveRank, 0)}`, box.x + cell, box.y - 7, { size: 12, align: 'right', color: p.text2 });
        batch.add(
          box,
          m,
          before?.find((b) => b.name === m.name),
          true,
        );
        if (tight) return;
        const n = m.sigma.length;
        const kept = indexX(box, lastKept(m), n);
        const foot = box.y + box.height + 15 * p.scale;
        if (kept - box.x > 20 * p.scale) text(g, p, '1', box.x, foot);
        text(g, p, String(lastKept(m) + 1), kept, foot, { align: 'center', weight: 600, color: p.text1 });
        text(g, p, String(n), box.x + cell, foot, { align: 'right' });
      });
      batch.paint(g, p, true);
    },
    [matrices, before, top],
  );
  const canvas = useCanvas(draw);
  return (
    <>
      <canvas ref={canvas} className="lesson-canvas" role="img" aria-label={describe(matrices, before)} />
      {matrices && (
        <DataTable
          title="Spectra of this step"
          caption="before and after, where there is a before"
          rows={() => ({
            head: ['Matrix', 'σ₁', 'σ at the target', 'next σ', 'effective rank', 'before'],
            body: matrices.map((m) => [
              matrixLabel(m),
              formatSignificant(m.sigma[0] ?? NaN, 3),
              formatSignificant(m.sigma[lastKept(m)] ?? NaN, 3),
              formatSignificant(m.sigma[lastKept(m) + 1] ?? NaN, 3),
              formatFixed(m.effectiveRank, 1),
              formatFixed(before?.find((b) => b.name === m.name)?.effectiveRank ?? NaN, 1),
            ]),
          })}
        />
      )}
    </>
  );
}

const describe = (matrices: SixSpectraProps['matrices'], before: SixSpectraProps['before']): string =>
  matrices
    ? `Singular values of ${matrices.length} matrices on a log scale. Effective ranks: ${matrices
        .map((m) => {
          const was = before?.find((b) => b.name === m.name);
          return `${kindLabel(m.kind)} ${formatFixed(m.effectiveRank, 0)}${was ? `, before ${formatFixed(was.effectiveRank, 0)}` : ''}`;
        })
        .join('; ')}`
    : 'Singular values; none yet';
