import type { Mark, MatrixSpectrum } from '../../protocol/messages';
import { crisp, heatTable, line, text, type Context, type Palette } from './canvas';
import { formatDecade, formatMark, formatSignificant } from './format';
import { clamp, decadesWithin, type Decades } from './scales';
import { axisName, plainName, stepAt, stepShare, type XScale } from './axis';
import type { SpectraColumns } from './heat';
import { decadeY, drawDecadeGrid, drawSpectrum, hasEpsilon, indexX, lastKept, logSigma, type Box } from './spectrum';

/** Where the plot of the large pictures lies in them. */
export const plotBox = (width: number, height: number, p: Pick<Palette, 'scale'>): Box => {
  const left = 38 * p.scale;
  const bottom = 22 * p.scale;
  return { x: left, y: 10, width: Math.max(1, width - left - 2), height: Math.max(1, height - 10 - bottom) };
};

/** Index names under or beside a plot: 1, the target rank, the middle and the last, as far as they do not touch. */
function indexNames(
  n: number,
  kept: number,
  length: number,
  room: number,
): { index: number; strong: boolean; align: 'start' | 'middle' | 'end' }[] {
  const at = (i: number) => (n > 1 ? (i / (n - 1)) * length : 0);
  const out: { index: number; strong: boolean; align: 'start' | 'middle' | 'end' }[] = [
    { index: kept, strong: true, align: kept === n - 1 ? 'end' : 'middle' },
  ];
  const free = (i: number) => out.every((o) => Math.abs(at(o.index) - at(i)) >= room);
  if (free(0)) out.push({ index: 0, strong: false, align: 'start' });
  if (free(n - 1)) out.push({ index: n - 1, strong: false, align: 'end' });
  const middle = Math.round(n / 2) - 1;
  if (n > 2 && free(middle)) out.push({ index: middle, strong: false, align: 'middle' });
  return out;
}

/** The spectrum of one matrix, large: decades, target rank, ε, ghost, each named once. */
export function paintLarge(
  g: Context,
  width: number,
  height: number,
  p: Palette,
  picture: { matrix: MatrixSpectrum; ghost?: MatrixSpectrum; ghostLabel: string; decades: Decades },
): void {
  const { matrix, ghost, decades } = picture;
  const box = plotBox(width, height, p);
  const n = matrix.sigma.length;
  const kept = lastKept(matrix);
  const right = box.x + box.width;
  const ticks = decadesWithin(decades);
  drawDecadeGrid(g, p, box, decades, ticks);
  for (const d of ticks) text(g, p, formatDecade(d), box.x - 8, decadeY(box, decades, d) + 0.5, { align: 'right', baseline: 'middle' });
  drawSpectrum(g, p, box, matrix, decades, { ghost, large: true });
  for (const { index, strong, align } of indexNames(n, kept, box.width, 24 * p.scale))
    text(g, p, String(index + 1), indexX(box, index, n), height - 6, {
      align: align === 'start' ? 'left' : align === 'end' ? 'right' : 'center',
      color: strong ? p.text1 : p.text3,
      weight: strong ? 600 : 400,
    });

  const edge = indexX(box, kept, n);
  const roomRight = right - edge > 74 * p.scale;
  text(g, p, 'target rank', roomRight ? edge + 6 : edge - 6, box.y + 9, {
    color: p.text1,
    halo: p.surface1,
    align: roomRight ? 'left' : 'right',
  });
  let epsilonY = NaN;
  if (hasEpsilon(matrix)) {
    const at = Math.log10(matrix.epsilon);
    if (at > decades.low && at < decades.high) {
      const y = decadeY(box, decades, at);
      epsilonY = y + 13 * p.scale < box.y + box.height ? y + 13 * p.scale : y - 6;
      text(g, p, `ε ${formatSignificant(matrix.epsilon, 3)}`, right - 2, epsilonY, { align: 'right', color: p.epsilon, halo: p.surface1 });
    }
  } else if (!matrix.regularized)
    text(
      g,
      p,
      matrix.factors ? 'product of its factors' : 'not regularized',
      right - 2,
      box.y + (roomRight && right - edge > 165 * p.scale ? 9 : 24),
      {
        align: 'right',
        halo: p.surface1,
      },
    );
  if (!ghost || ghost.sigma.length !== n) return;
  // Above the ghost, where neither the curve in front nor the label of ε is.
  for (const share of [0.78, 0.6, 0.42]) {
    const i = Math.round(share * (n - 1));
    const y = decadeY(box, decades, logSigma(ghost.sigma)[i]!) - 9;
    if (Math.abs(y - epsilonY) < 13 || y < box.y + 22) continue;
    text(g, p, picture.ghostLabel, share > 0.7 ? right - 2 : indexX(box, i, n), y, { align: 'right', halo: p.surface1 });
    return;
  }
}

/** Singular values over the run: the axis of the charts across, index down, colour log σ. The cursor lies over it. */
export function paintHeat(
  g: Context,
  width: number,
  height: number,
  p: Palette,
  picture: { columns: SpectraColumns; kept: number; decades: Decades; x: XScale; marks: readonly Mark[] },
): void {
  const { columns, kept, decades, x, marks } = picture;
  const box = plotBox(width, height, p);
  const { count, step: steps, rows, n, values } = columns;
  const X = (step: number) => box.x + clamp(stepShare(x, step), 0, 1) * box.width;
  const from = Math.floor(X(steps[0]!) - box.x);
  // At least a pixel, but nothing where the window lies behind the last spectrum or before the first.
  const seen = stepShare(x, steps[count - 1]!) > 0 && stepShare(x, steps[0]!) < 1;
  const w = Math.max(1, Math.round(X(steps[count - 1]!) - box.x) - from);
  const table = heatTable(p);
  const pixels = new Uint32Array(w * rows);
  let c = 0;
  for (let i = 0; i < w; i++) {
    const step = stepAt(x, (from + i + 0.5) / box.width);
    // The nearest spectrum counts.
    while (c < count - 1 && steps[c + 1]! - step <= step - steps[c]!) c++;
    for (let r = 0; r < rows; r++) {
      const t = clamp((values[c * rows + r]! - decades.low) / (decades.high - decades.low), 0, 1);
      pixels[r * w + i] = table[Math.round(t * 255)]!;
    }
  }
  const image = new OffscreenCanvas(w, rows);
  image.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), w, rows), 0, 0);
  g.imageSmoothingEnabled = false;
  if (seen) g.drawImage(image, box.x + from, box.y, w, box.height);
  g.imageSmoothingEnabled = true;

  const Y = (i: number) => box.y + ((i + 0.5) / n) * box.height;
  const right = box.x + box.width;
  for (const { index, strong, align } of indexNames(n, kept, box.height, 14 * p.scale))
    text(g, p, String(index + 1), box.x - 8, Y(index) + (align === 'start' ? 4 : align === 'end' ? -4 : 0), {
      align: 'right',
      baseline: 'middle',
      color: strong ? p.text1 : p.text3,
      weight: strong ? 600 : 400,
    });
  const target = crisp(box.y + ((kept + 1) / n) * box.height) - 1;
  line(g, box.x, target, right, target, p.surface0, 3);
  line(g, box.x, target, right, target, p.target, 1.25);
  let free = box.x + 16;
  for (const mark of marks) {
    const at = stepShare(x, mark.step);
    if (mark.step <= 0 || at < 0 || at > 1) continue;
    const place = X(mark.step);
    line(g, crisp(place), box.y, crisp(place), box.y + box.height, p.surface0, 1, p.eventDash);
    const name = formatMark(mark).replace(/ \S+ →/, '');
    g.font = `400 ${11 * p.scale}px ${p.font}`;
    const half = g.measureText(name).width / 2;
    if (place - half < free || place + half > right - 70 * p.scale) continue;
    text(g, p, name, place, height - 6, { align: 'center', color: p.text2 });
    free = place + half + 8;
  }
  text(g, p, plainName(x.axis, x.low), box.x, height - 6);
  text(g, p, axisName(x.axis, x.high), right, height - 6, { align: 'right' });
}
