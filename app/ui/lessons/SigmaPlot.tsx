import { useCallback } from 'react';
import { crisp, line, text } from '../charts/canvas';
import { formatDecade } from '../charts/format';
import { useCanvas, type Draw } from '../charts/useCanvas';

interface SigmaPlotProps {
  readonly sigma: ArrayLike<number> | null;
  /** Drawn in grey behind. */
  readonly exact: ArrayLike<number> | null;
  /** How many are kept: teal up to there, orange past it. */
  readonly kept: number;
  readonly length: number;
}
const DECADES = 4;

/** Singular values on a log scale, the kept ones apart from the rest. */
export function SigmaPlot({ sigma, exact, kept, length }: SigmaPlotProps) {
  const draw = useCallback<Draw>(
    (g, width, height, p) => {
      const first = Math.max(1e-6, sigma?.[0] ?? 1, exact?.[0] ?? 0);
      const high = Math.log10(first) + 0.1;
      const [left, bottom] = [38 * p.scale, 22 * p.scale];
      const x = (i: number) => left + (i / Math.max(1, length - 1)) * (width - left - 6);
      const y = (v: number) => {
        const t = (Math.log10(Math.max(v, 1e-12)) - high + DECADES) / DECADES;
        return 4 + (1 - Math.min(1, Math.max(0, t))) * (height - 4 - bottom);
      };
      for (let d = Math.ceil(high - DECADES); d <= high; d++) {
        line(g, left, crisp(y(10 ** d)), width - 6, crisp(y(10 ** d)), p.line1);
        text(g, p, formatDecade(d), left - 8, y(10 ** d), { align: 'right', baseline: 'middle' });
      }
      line(g, left, crisp(height - bottom), width - 6, crisp(height - bottom), p.line2);
      text(g, p, '1', left, height - 6);
      text(g, p, String(length), width - 6, height - 6, { align: 'right' });
      const trace = (values: ArrayLike<number>, from: number, to: number, color: string, fill: string | null, wide: number) => {
        if (to < from) return;
        const path = new Path2D();
        for (let i = from; i <= to; i++) path[i === from ? 'moveTo' : 'lineTo'](x(i), y(values[i]!));
        if (fill) {
          const area = new Path2D(path);
          area.lineTo(x(to), height - bottom);
          area.lineTo(x(from), height - bottom);
          g.fillStyle = fill;
          g.fill(area);
        }
        g.setLineDash([]);
        g.strokeStyle = color;
        g.lineWidth = wide;
        g.stroke(path);
      };
      if (exact) trace(exact, 0, Math.min(length, exact.length) - 1, p.ghost, null, 1);
      if (!sigma) return;
      const last = sigma.length - 1;
      const edge = Math.min(kept - 1, last);
      trace(sigma, 0, edge, p.head, p.headFill, 2);
      trace(sigma, edge, last, p.tail, p.tailFill, 2);
      line(g, crisp(x(edge)), 0, crisp(x(edge)), height - bottom, p.target, 1.25);
      if (edge > 2 && edge < length - 3) text(g, p, String(kept), x(edge), height - 6, { align: 'center', weight: 600, color: p.text1 });
    },
    [sigma, exact, kept, length],
  );
  const canvas = useCanvas(draw);
  const words = sigma
    ? `${sigma.length} singular values on a log scale, from ${sigma[0]?.toPrecision(3)} to ${sigma[sigma.length - 1]?.toPrecision(3)}; ${kept} are kept${exact ? '; the exact ones of the picture in grey' : ''}`
    : 'Singular values; none yet';
  return <canvas ref={canvas} className="lesson-loss" role="img" aria-label={words} />;
}
