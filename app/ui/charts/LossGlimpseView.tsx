import { useCallback } from 'react';
import type { Series } from '../../protocol/messages';
import { crisp, line, text, type Context, type Palette } from './canvas';
import { formatFixed, formatInt } from './format';
import { niceCeil, niceTicks } from './scales';
import { useCanvas, type Draw } from './useCanvas';

export interface LossGlimpseViewProps {
  series: Series | null;
  /** Step whose loss is not finite. */
  badStep?: number;
  /** Step of the last good snapshot. */
  snapshotStep?: number;
}

interface Picture extends LossGlimpseViewProps {
  series: Series;
}

function paint(g: Context, width: number, height: number, p: Palette, { series, badStep, snapshotStep }: Picture): void {
  const left = 28 * p.scale;
  const top = 20 * p.scale;
  const bottom = height - 22 * p.scale;
  const right = width - 4;
  const last = Math.max(1, badStep ?? 0, series.step.at(-1) ?? 0);
  const lastStep = badStep === undefined ? last : last * 1.25;
  const finite = [...series.loss].filter(Number.isFinite);
  // A loss that explodes would flatten everything before it.
  const usual = Math.max(series.loss[0] ?? 1, ...finite.slice(0, Math.ceil(finite.length * 0.9)));
  const high = niceCeil(Math.max(1e-6, Number.isFinite(usual) ? usual * 1.6 : 1));
  const X = (step: number) => left + (step / lastStep) * (right - left);
  const Y = (v: number) => bottom - (Math.min(high, Math.max(0, v)) / high) * (bottom - top);

  for (const tick of niceTicks(0, high, 3)) {
    line(g, left, crisp(Y(tick)) - 1, right, crisp(Y(tick)) - 1, tick === 0 ? p.line2 : p.line1);
    text(g, p, String(tick), left - 8, Y(tick), { align: 'right', baseline: 'middle' });
  }
  for (const tick of niceTicks(0, lastStep, Math.max(2, Math.floor((right - left) / 90))))
    text(g, p, formatInt(tick), X(tick), height - 6, { align: tick === 0 ? 'left' : X(tick) > right - 20 ? 'right' : 'center' });
  text(g, p, 'Loss', 0, 10 * p.scale, { weight: 600, color: p.text2 });

  g.beginPath();
  let down = false;
  for (let i = 0; i < series.step.length; i++) {
    const v = series.loss[i]!;
    if (!Number.isFinite(v)) continue;
    if (down) g.lineTo(X(series.step[i]!), Y(v));
    else g.moveTo(X(series.step[i]!), Y(v));
    down = true;
  }
  g.strokeStyle = p.series1;
  g.lineWidth = 1.5;
  g.stroke();

  if (snapshotStep !== undefined) {
    const x = crisp(X(snapshotStep));
    line(g, x, 4, x, bottom, p.text3, 1, p.eventDash);
    const roomLeft = x - left > 100 * p.scale;
    text(g, p, `last good, ${formatInt(snapshotStep)}`, roomLeft ? x - 6 : x + 6, 14 * p.scale, {
      align: roomLeft ? 'right' : 'left',
      color: p.text2,
      halo: p.surface0,
    });
  }
  if (badStep === undefined) return;
  const x = X(badStep);
  const y = Y(high) + 8;
  g.strokeStyle = p.danger;
  g.lineWidth = 2;
  g.beginPath();
  g.moveTo(x - 4, y - 4);
  g.lineTo(x + 4, y + 4);
  g.moveTo(x + 4, y - 4);
  g.lineTo(x - 4, y + 4);
  g.stroke();
  const room = width - x > 72 * p.scale;
  text(g, p, 'not finite', room ? x + 10 : x - 10, y + 4, {
    align: room ? 'left' : 'right',
    color: p.danger,
    weight: 600,
    halo: p.surface0,
  });
}

/** The loss of a run at a glance; with `badStep`, up to where it stopped being a number. */
export function LossGlimpseView({ series, badStep, snapshotStep }: LossGlimpseViewProps) {
  const draw = useCallback<Draw>(
    (g, width, height, palette) => {
      if (series) paint(g, width, height, palette, { series, badStep, snapshotStep });
    },
    [series, badStep, snapshotStep],
  );
  const canvas = useCanvas(draw);
  if (!series || series.step.length === 0) return null;
  const end =
    badStep === undefined ? `${formatFixed(series.loss.at(-1) ?? NaN, 3)} at step ${series.step.at(-1)}` : `not finite at step ${badStep}`;
  return <canvas ref={canvas} className="chart-glimpse" role="img" aria-label={`Training loss: ${end}`} />;
}
