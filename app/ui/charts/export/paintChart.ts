import type { Mark } from '../../../protocol/messages';
import type { Axis } from '../../../store/store';
import { share, stepShare, xTicks, type XScale } from '../axis';
import { crisp, diamond, line, text, type Context, type Palette } from '../canvas';
import type { ChartKind, ValueAxis } from '../chartData';
import { chartShape, type Point } from '../chartShape';
import type { RunCurve } from '../curves';
import { formatMark, tickText } from '../format';
import { isOpen, markerCorners, runStyle } from '../runStyle';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const AXIS_NAMES: Record<Axis, string> = { step: 'Step', epoch: 'Epoch', images: 'Training images', seconds: 'Training time' };

/** A marker of a run's style around a place. */
export function paintMarker(g: Context, p: Palette, style: number, { x, y }: Point, r = 3): void {
  const { marker } = runStyle(style);
  const colour = p.series[style - 1] ?? p.series1;
  g.setLineDash([]);
  g.beginPath();
  if (marker === 'circle' || marker === 'ring') g.arc(x, y, r, 0, 2 * Math.PI);
  else {
    let down = false;
    for (const corner of markerCorners(marker, x, y, r)) {
      if (corner && down) g.lineTo(corner[0], corner[1]);
      else if (corner) g.moveTo(corner[0], corner[1]);
      down = corner !== null;
    }
    if (!isOpen(marker)) g.closePath();
  }
  g.strokeStyle = colour;
  g.lineWidth = 1.25;
  g.fillStyle = colour;
  if (!isOpen(marker)) g.fill();
  g.stroke();
}

/** A polyline in a run's colour. */
export function paintLine(
  g: Context,
  points: readonly Point[],
  box: Box,
  colour: string,
  width: number,
  dash: readonly number[] = [],
  alpha = 1,
): void {
  if (points.length === 0) return;
  g.beginPath();
  points.forEach(({ x, y }, i) => (i > 0 ? g.lineTo(box.x + x, box.y + y) : g.moveTo(box.x + x, box.y + y)));
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.setLineDash(dash as number[]);
  g.globalAlpha = alpha;
  g.stroke();
  g.globalAlpha = 1;
  g.setLineDash([]);
}

/** Names of runs with their lines and markers, from left to right; those without room are left out. Returns where it ended. */
export function paintLegend(
  g: Context,
  p: Palette,
  runs: readonly { readonly label: string; readonly style: number }[],
  x: number,
  y: number,
  right: number,
): number {
  for (const { label, style } of runs) {
    g.font = `400 ${12 * p.scale}px ${p.font}`;
    const length = g.measureText(label).width;
    if (x + 28 + length > right) break;
    const { dash } = runStyle(style);
    line(g, x, y - 4, x + 22, y - 4, p.series[style - 1]!, style === 1 ? 2 : 1.5, dash);
    paintMarker(g, p, style, { x: x + 11, y: y - 4 });
    text(g, p, label, x + 28, y, { size: 12, color: p.text2 });
    x += 28 + length + 20;
  }
  return x;
}

/** Keeps what is painted inside a box. */
export function clipped(g: Context, { x, y, width, height }: Box, paint: () => void): void {
  g.save();
  g.beginPath();
  g.rect(x, y, width, height);
  g.clip();
  paint();
  g.restore();
}

export interface ChartPicture {
  readonly kind: ChartKind;
  readonly name: string;
  readonly curves: readonly RunCurve[];
  readonly x: XScale;
  readonly axis: ValueAxis;
  readonly marks: readonly Mark[];
}

/** One line chart with axes and their names, for a file: the same curves as on the page. */
export function paintChart(g: Context, box: Box, p: Palette, { kind, name, curves, x, axis, marks }: ChartPicture): void {
  const { band, raw, others, main, end } = chartShape(kind, curves, axis, x, box);
  const bottom = box.y + box.height;
  const right = box.x + box.width;
  const [low, high] = axis.domain;
  const Y = (v: number) => box.y + box.height * (1 - (axis.log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low)));
  for (const tick of axis.ticks) {
    line(g, box.x, crisp(Y(tick)), right, crisp(Y(tick)), p.line1);
    text(g, p, tickText(kind, tick), box.x - 8, Y(tick), { align: 'right', baseline: 'middle' });
  }
  line(g, box.x, crisp(bottom), right, crisp(bottom), p.line2);
  const ticks = xTicks(x, Math.max(2, Math.floor(box.width / 110)));
  ticks.forEach(({ value, name: label }, i) => {
    const at = box.x + share(x, value) * box.width;
    line(g, crisp(at), bottom, crisp(at), bottom + 4, p.line2);
    text(g, p, label, at, bottom + 18, { align: i === ticks.length - 1 ? 'right' : 'center' });
  });
  text(g, p, AXIS_NAMES[x.axis] + (x.log ? ', logarithmic' : ''), box.x + box.width / 2, bottom + 36, { align: 'center', color: p.text2 });
  text(g, p, name + (axis.log ? ', logarithmic' : ''), box.x, box.y - 10, { color: p.text2, weight: 600 });

  clipped(g, box, () => {
    if (band) {
      g.beginPath();
      band.high.forEach((at, i) => (i > 0 ? g.lineTo(box.x + at.x, box.y + at.y) : g.moveTo(box.x + at.x, box.y + at.y)));
      for (const at of [...band.low].reverse()) g.lineTo(box.x + at.x, box.y + at.y);
      g.closePath();
      g.fillStyle = p.series1;
      g.globalAlpha = 0.2;
      g.fill();
      g.globalAlpha = 1;
    }
    paintLine(g, raw, box, p.series1, 1, [], kind === 'loss' ? 0.32 : 0.42);
    for (const { style, points, markers } of others) {
      paintLine(g, points, box, p.series[style - 1]!, 1.5, runStyle(style).dash);
      for (const at of markers) paintMarker(g, p, style, { x: box.x + at.x, y: box.y + at.y }, 2.75);
    }
    paintLine(g, main.points, box, p.series1, 2);
  });
  if (end) paintMarker(g, p, 1, { x: box.x + end.x, y: box.y + end.y });
  for (const mark of marks) {
    const at = stepShare(x, mark.step);
    if (mark.step <= 0 || at < 0 || at > 1) continue;
    const place = crisp(box.x + at * box.width);
    line(g, place, box.y, place, bottom, p.text3, 1, p.eventDash);
    diamond(g, place, bottom, p.text1);
    const after = place + 120 < right;
    text(g, p, formatMark(mark), after ? place + 6 : place - 6, box.y + 11, {
      color: p.text2,
      align: after ? 'left' : 'right',
      halo: p.surface0,
    });
  }
}
