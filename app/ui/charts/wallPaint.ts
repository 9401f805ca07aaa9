import type { MatrixSpectrum } from '../../protocol/messages';
import { crisp, line, text, type Context, type Palette } from './canvas';
import { formatDecade, formatFixed, kindLabel, matrixSize } from './format';
import { decadesWithin, type Decades } from './scales';
import { SpectrumBatch, decadeY, drawDecadeGrid, indexX, isRankHigh, lastKept, type Box } from './spectrum';
import { indexNames, placeOf, wallLayout, type WallGrid } from './wallGeometry';

export interface WallPicture {
  readonly grid: WallGrid;
  readonly matrices: ReadonlyMap<string, MatrixSpectrum>;
  /** The baseline behind the run; null where the baseline itself is shown. */
  readonly ghosts: ReadonlyMap<string, MatrixSpectrum> | null;
  readonly decades: Decades;
  readonly selected: string;
}

/** Plots at least this tall carry hairlines at the decades, and this tall their names. */
const GRID_FROM = 44;
const NAMES_FROM = 80;

/** Paints the whole wall: column heads, block numbers, cells, rank figures and the index axis. */
export function paintWall(g: Context, width: number, height: number, p: Palette, picture: WallPicture): void {
  const { grid, matrices, ghosts, decades, selected } = picture;
  const at = wallLayout(grid, width, height, p.scale);
  const here = placeOf(grid, selected);
  const plotHeight = at.rowHeight - at.above - at.below;
  const ticks = decadesWithin(decades);
  const middle = (row: number) => at.top + row * at.rowHeight + at.rowHeight / 2 + 5 * p.scale;

  grid.columns.forEach(({ kind }, c) => {
    const first = typical(grid.names.flatMap((row) => matrices.get(row[c] ?? '') ?? []));
    if (!first) return;
    const x = at.left[c]!;
    const w = at.width[c]!;
    const plot = w - at.figure;
    // The rows of a slice are named where the whole column is of these rows.
    const { slice } = first;
    const alike = grid.names.every((row) => String(matrices.get(row[c] ?? '')?.slice) === String(slice) || !row[c]);
    const label = slice && alike ? `${kindLabel(kind)} ${slice[0]}–${slice[1] - 1}` : kindLabel(kind);
    text(g, p, label, x, at.top - 9, {
      size: 12,
      weight: 600,
      color: here?.column === c ? p.text1 : p.text2,
    });
    if (!at.compact && w > 104 * p.scale && label === kindLabel(kind))
      text(g, p, matrixSize(first, ''), x + plot, at.top - 9, { align: 'right' });
    if (at.figure && w > 60 * p.scale) text(g, p, 'rank', x + w, at.top - 9, { align: 'right' });
    line(g, x, crisp(at.top - 4), x + w, crisp(at.top - 4), p.line2);
    const n = first.sigma.length;
    const kept = indexX({ x: 0, y: 0, width: plot, height: 0 }, lastKept(first), n);
    for (const { name, right, isTarget } of indexNames(plot, kept, first.targetRank, n, p.scale))
      text(g, p, name, x + right, height - 4, { align: 'right', color: isTarget ? p.text2 : p.text3 });
  });

  const batch = new SpectrumBatch(g, decades);
  grid.names.forEach((names, row) => {
    const y = at.top + row * at.rowHeight;
    const inRow = here?.row === row;
    const tall = plotHeight >= NAMES_FROM && !at.compact;
    const block = String(grid.blocks[row]);
    const style = { size: 12, color: inRow ? p.text1 : p.text3, weight: inRow ? 600 : 400 } as const;
    if (tall) text(g, p, block, 0, y + at.above + 9 * p.scale, style);
    else text(g, p, block, at.gutter - 10, middle(row), { ...style, align: 'right' });
    names.forEach((name, c) => {
      const matrix = matrices.get(name);
      if (!matrix) return;
      const box: Box = { x: at.left[c]!, y: y + at.above, width: at.width[c]! - at.figure, height: plotHeight };
      if (plotHeight >= GRID_FROM) drawDecadeGrid(g, p, box, decades, ticks);
      if (tall && c === 0)
        for (const d of ticks) {
          const place = decadeY(box, decades, d);
          // The block number has the top left corner; the floor's own name would touch the next row.
          if (place > box.y + 6 && place < box.y + box.height - 3)
            text(g, p, formatDecade(d), at.gutter - 6, place + 0.5, { align: 'right', baseline: 'middle' });
        }
      batch.add(box, matrix, ghosts?.get(name));
    });
  });
  batch.paint(g, p);

  if (!at.figure) return;
  const size = plotHeight >= NAMES_FROM ? 15 : 12;
  // Set once for all figures: changing a canvas font is slow.
  const figure = (bold: boolean) => (g.font = `${bold ? 600 : 400} ${size * p.scale}px ${p.font}`);
  figure(false);
  g.textAlign = 'right';
  g.textBaseline = 'alphabetic';
  grid.names.forEach((names, row) =>
    names.forEach((name, c) => {
      const matrix = matrices.get(name);
      if (!matrix) return;
      const on = name === selected;
      if (on) figure(true);
      g.fillStyle = on ? p.text1 : isRankHigh(matrix) ? p.tail : p.text2;
      g.fillText(formatFixed(matrix.effectiveRank, 0), at.left[c]! + at.width[c]!, middle(row));
      if (on) figure(false);
    }),
  );
}

/** The first of those matrices of a column whose shape and target rank most of them have: head and axis are its. */
function typical(column: readonly MatrixSpectrum[]): MatrixSpectrum | undefined {
  const key = (m: MatrixSpectrum): string => [m.rows, m.cols, m.targetRank, m.slice].join();
  const counts = new Map<string, number>();
  for (const m of column) counts.set(key(m), (counts.get(key(m)) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return column.find((m) => counts.get(key(m)) === most);
}
