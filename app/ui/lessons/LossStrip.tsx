import { useCallback } from 'react';
import type { Mark } from '../../protocol/messages';
import { RECORD_WIDTH } from '../../protocol/run/record';
import { records } from '../../store/records';
import { useStore } from '../../store/store';
import { crisp, line, text } from '../charts/canvas';
import { formatFixed, formatInt, formatMark } from '../charts/format';
import { niceTicks } from '../charts/scales';
import { useCanvas, type Draw } from '../charts/useCanvas';

const NO_MARKS: readonly Mark[] = [];

/** The loss of a step's run, with a little of what came before it; empty while the run on screen is not the lesson's `own`. */
export function LossStrip({ own, from, steps }: { own: boolean; from: number; steps: number }) {
  const series = useStore((s) => (own ? s.series : null));
  const marks = useStore((s) => (own ? s.marks : NO_MARKS));
  const draw = useCallback<Draw>(
    (g, width, height, p) => {
      const length = Math.max(1, steps);
      const back = Math.min(from, Math.round(length / 3));
      const first = from - back;
      const rows = series ? records.packed() : new Float64Array();
      const count = Math.min(rows.length / RECORD_WIDTH, from + length);
      const [left, bottom, right] = [38 * p.scale, 22 * p.scale, 6];
      const x = (step: number) => left + ((step - first) / (length + back)) * (width - left - right);
      let [low, high] = [Infinity, -Infinity];
      for (let i = first; i < count; i++) {
        const loss = rows[i * RECORD_WIDTH + 1]!;
        low = Math.min(low, loss);
        high = Math.max(high, loss);
      }
      if (!(high > low)) [low, high] = [0, 2.5];
      const y = (v: number) => 6 + (1 - (v - low) / (high - low)) * (height - 6 - bottom);
      for (const tick of niceTicks(low, high, 4)) {
        line(g, left, crisp(y(tick)), width - right, crisp(y(tick)), p.line1);
        text(g, p, formatFixed(tick, 1), left - 8, y(tick), { align: 'right', baseline: 'middle' });
      }
      line(g, left, crisp(height - bottom), width - right, crisp(height - bottom), p.line2);
      for (const tick of niceTicks(-back, length, width < 600 ? 3 : 6))
        text(g, p, tick > 0 ? `+${formatInt(tick)}` : formatInt(tick), x(from + tick), height - 6, {
          align: tick === length ? 'right' : 'center',
        });
      if (from > 0) line(g, crisp(x(from)), 0, crisp(x(from)), height - bottom, p.text3, 1, p.eventDash);
      const mark = marks.find((m) => m.step === from);
      if (mark) text(g, p, formatMark(mark), x(from) + 6, 14, { color: p.text2, halo: p.surface0 });
      if (count <= first) return;
      let [mean, weight] = [0, 0];
      const raw = new Path2D();
      const smooth = new Path2D();
      let end: [number, number] = [0, 0];
      for (let i = 0; i < count; i++) {
        const loss = rows[i * RECORD_WIDTH + 1]!;
        mean = 0.9 * mean + 0.1 * loss;
        weight = 0.9 * weight + 0.1;
        if (i < first) continue;
        const move = i === first ? 'moveTo' : 'lineTo';
        end = [x(i + 1), y(mean / weight)];
        raw[move](x(i + 1), y(loss));
        smooth[move](...end);
      }
      g.setLineDash([]);
      g.strokeStyle = p.series1;
      g.lineWidth = 1;
      g.globalAlpha = 0.28;
      g.stroke(raw);
      g.globalAlpha = 1;
      g.lineWidth = 2;
      g.stroke(smooth);
      g.fillStyle = p.series1;
      g.beginPath();
      g.arc(end[0], end[1], 3.5, 0, 7);
      g.fill();
    },
    [from, steps, series, marks],
  );
  const canvas = useCanvas(draw);
  const newest = series?.lossSmooth.at(-1);
  return (
    <canvas
      ref={canvas}
      className="lesson-loss"
      role="img"
      aria-label={newest === undefined ? 'Loss; no step yet' : `Loss of this step’s run, now ${formatFixed(newest, 2)}`}
    />
  );
}
