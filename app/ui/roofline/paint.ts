import type { RooflineReport } from '../../protocol/roofline';
import { crisp, line, text, type Context, type Palette } from '../charts/canvas';
import { formatDecade, formatSignificant } from '../charts/format';
import { isOpen, markerCorners, type Marker } from '../charts/runStyle';
import { decadesWithin } from '../charts/scales';
import { PART_MARKERS, partColour } from './parts';
import type { RooflineShape } from './shape';

/** Space around the plot for the names of its axes. */
export const MARGIN = { left: 44, right: 12, top: 26, bottom: 40 };

/** A marker of a part of the step. */
export function paintMarker(g: Context, marker: Marker, x: number, y: number, r: number, colour: string): void {
  g.setLineDash([]);
  g.beginPath();
  if (marker === 'circle' || marker === 'ring') g.arc(x, y, r, 0, 2 * Math.PI);
  else {
    markerCorners(marker, x, y, r).forEach(
      (corner, i) => corner && (i > 0 ? g.lineTo(corner[0], corner[1]) : g.moveTo(corner[0], corner[1])),
    );
    g.closePath();
  }
  g.lineWidth = 1.5;
  g.strokeStyle = colour;
  g.fillStyle = colour;
  if (!isOpen(marker)) {
    g.globalAlpha = 0.45;
    g.fill();
    g.globalAlpha = 1;
  }
  g.stroke();
}

/** Roofs, axes and kernels; `at` is pointed at. The plot lies within MARGIN, whose sizes are those of a plain screen. */
export function paintRoofline(
  g: Context,
  p: Palette,
  shape: RooflineShape,
  { peaks }: RooflineReport,
  size: { width: number; height: number },
  at: number | null,
): void {
  const left = MARGIN.left * p.scale;
  const top = MARGIN.top * p.scale;
  const { width, height } = size;
  const bottom = top + height;
  const right = left + width;
  const { x, y, X, Y, points, roof } = shape;
  for (const d of decadesWithin(y)) {
    const place = crisp(top + Y(10 ** d));
    line(g, left, place, right, place, p.line1);
    text(g, p, formatDecade(d), left - 8, place, { align: 'right', baseline: 'middle' });
  }
  for (const d of decadesWithin(x)) {
    const place = crisp(left + X(10 ** d));
    line(g, place, top, place, bottom, p.line1);
    text(g, p, formatDecade(d), place, bottom + 16 * p.scale, { align: place > right - 12 ? 'right' : 'center' });
  }
  line(g, left, crisp(bottom), right, crisp(bottom), p.line2);
  text(g, p, 'FLOP per byte', (left + right) / 2, bottom + 32 * p.scale, { align: 'center', color: p.text2 });
  text(g, p, 'GFLOP/s', 0, top - 10 * p.scale, { color: p.text2, weight: 600 });

  const [start, ridge, end] = roof as [readonly [number, number], readonly [number, number], readonly [number, number]];
  g.beginPath();
  g.setLineDash([]);
  roof.forEach(([a, b], i) => (i > 0 ? g.lineTo(left + a, top + b) : g.moveTo(left + a, top + b)));
  g.strokeStyle = p.target;
  g.lineWidth = 2;
  g.lineJoin = 'round';
  g.stroke();
  text(g, p, `${formatSignificant(peaks.gflops, 3)} GFLOP/s, f32`, left + end[0], top + end[1] - 7 * p.scale, {
    align: 'right',
    color: p.text1,
    weight: 600,
  });
  // Beside the middle of the slant, above which nothing lies.
  const [a, b] = [(start[0] + ridge[0]) / 2, (start[1] + ridge[1]) / 2];
  text(g, p, `${formatSignificant(peaks.gbps, 3)} GB/s`, left + a - 10, top + b - 4, { align: 'right', color: p.text1, weight: 600 });

  for (const { row, x: a, y: b, r } of points) paintMarker(g, PART_MARKERS[row.part], left + a, top + b, r, partColour(p, row.part));
  const pointed = points.find(({ row }) => row.index === at);
  if (!pointed) return;
  g.beginPath();
  g.arc(left + pointed.x, top + pointed.y, pointed.r + 5, 0, 2 * Math.PI);
  g.strokeStyle = p.accent;
  g.lineWidth = 2;
  g.stroke();
  // How far it is to the roof.
  const limit = top + Y(Math.min(peaks.gflops, pointed.row.intensity * peaks.gbps));
  const from = top + pointed.y - pointed.r - 5;
  if (limit < from) line(g, crisp(left + pointed.x), from, crisp(left + pointed.x), limit, p.accent, 1, [2, 2]);
}
