import { crisp, line, text, type Context, type Palette } from './canvas';
import type { Q3rFigures } from './formulaFigures';
import { weightOf } from './formulaFigures';
import { indexX, type Box } from './spectrum';

/** The plot's place in its canvas: the left edge carries the scale, the lower one the index. */
export const weightsBox = (width: number, height: number, scale: number): Box => ({
  x: 34 * scale,
  y: 16 * scale,
  width: Math.max(1, width - 34 * scale - 6),
  height: Math.max(1, height - 16 * scale - 22 * scale),
});

/** Index (from 0) under a horizontal place. */
export function indexUnder(x: number, box: Box, n: number): number {
  if (n < 2) return 0;
  return Math.min(n - 1, Math.max(0, Math.round(((x - box.x) / box.width) * (n - 1))));
}

/**
 * The weights 1/max(σ/ε, 1) by index: head up to the target rank, tail past it, the target as an ink line, and a dashed line in
 * the colour of ε between the last value above ε and the first below.
 */
export function paintWeights(
  g: Context,
  width: number,
  height: number,
  p: Palette,
  { sigma, figures: f, cursor }: { sigma: Float32Array; figures: Q3rFigures; cursor: number | null },
): void {
  const box = weightsBox(width, height, p.scale);
  const n = sigma.length;
  if (n === 0) return;
  const bottom = box.y + box.height;
  const X = (i: number) => indexX(box, i, n);
  const Y = (w: number) => bottom - w * box.height;
  for (const tick of [0, 0.5, 1]) {
    const y = crisp(Y(tick)) - (tick === 0 ? 1 : 0);
    line(g, box.x, y, box.x + box.width, y, tick === 0 ? p.line2 : p.line1);
    text(g, p, String(tick), box.x - 8, Y(tick), { align: 'right', baseline: 'middle' });
  }
  const kept = Math.min(n, Math.max(1, f.r)) - 1;
  part(0, kept, p.head, p.headFill);
  part(kept, n - 1, p.tail, p.tailFill);
  if (n === 1) {
    g.fillStyle = p.head;
    g.fillRect(box.x, Y(weightOf(sigma[0]!, f.epsilon)) - 1, 4, 2);
  }

  const edge = X(kept);
  line(g, crisp(edge), box.y, crisp(edge), bottom, p.target, 1.25);
  // Between two indices, so that it never hides the target line that it mostly stands beside.
  if (f.above > 0 && f.above < n) {
    const x = crisp((X(f.above - 1) + X(f.above)) / 2);
    line(g, x, box.y, x, bottom, p.epsilon, 1.25, p.epsilonDash);
  }
  const left = edge > box.x + box.width / 2;
  text(g, p, 'target rank', edge, box.y - 5, { color: p.text1, align: left ? 'right' : 'left' });
  const names: [number, boolean][] = [[kept, true]];
  for (const i of [0, n - 1]) if (Math.abs(X(i) - edge) >= 24 * p.scale) names.push([i, false]);
  for (const [i, strong] of names)
    text(g, p, String(i + 1), X(i), height - 6, {
      align: i === n - 1 && n > 1 ? 'right' : i === 0 ? 'left' : 'center',
      color: strong ? p.text1 : p.text3,
      weight: strong ? 600 : 400,
    });
  if (cursor !== null && cursor < n) {
    const x = X(cursor);
    line(g, crisp(x), box.y, crisp(x), bottom, p.accent);
    g.beginPath();
    g.arc(x, Y(weightOf(sigma[cursor]!, f.epsilon)), 3.5, 0, 2 * Math.PI);
    g.fillStyle = p.accent;
    g.fill();
  }

  function part(from: number, to: number, stroke: string, fill: string): void {
    if (to <= from) return;
    const curve = new Path2D();
    const area = new Path2D();
    area.moveTo(X(from), bottom);
    for (let i = from; i <= to; i++) {
      const x = X(i);
      const y = Y(weightOf(sigma[i]!, f.epsilon));
      if (i === from) curve.moveTo(x, y);
      else curve.lineTo(x, y);
      area.lineTo(x, y);
    }
    area.lineTo(X(to), bottom);
    area.closePath();
    g.fillStyle = fill;
    g.fill(area);
    g.setLineDash([]);
    g.lineWidth = 2;
    g.strokeStyle = stroke;
    g.stroke(curve);
  }
}
