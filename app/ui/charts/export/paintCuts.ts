import { crisp, line, text, type Context, type Palette } from '../canvas';
import { cutAxis, type CutShows, type OtherCut } from '../cuts';
import { formatSetting } from '../format';
import { niceTicks } from '../scales';
import { runStyle } from '../runStyle';
import { paintLine, paintMarker, type Box } from './paintChart';

/** Accuracy or loss by the share of the parameters kept, for a file. The dotted lines are the models that nothing was cut from. */
export function paintCuts(g: Context, box: Box, p: Palette, { runs, shows }: { runs: readonly OtherCut[]; shows: CutShows }): void {
  const curves = runs.map((run) => run.curve);
  const { domain, ticks } = cutAxis(curves, shows);
  const end = Math.max(1, ...curves.flatMap((curve) => curve.cuts.map((cut) => cut.fraction)));
  const bottom = box.y + box.height;
  const right = box.x + box.width;
  const X = (share: number) => (share / end) * box.width;
  const Y = (value: number) => (1 - (value - domain[0]) / (domain[1] - domain[0])) * box.height;
  for (const tick of ticks) {
    line(g, box.x, crisp(box.y + Y(tick)), right, crisp(box.y + Y(tick)), p.line1);
    const name = shows === 'accuracy' ? `${Math.round(tick * 100)}%` : formatSetting(tick);
    text(g, p, name, box.x - 8, box.y + Y(tick), { align: 'right', baseline: 'middle' });
  }
  line(g, box.x, crisp(bottom), right, crisp(bottom), p.line2);
  for (const tick of niceTicks(0, end, 5)) {
    const at = crisp(box.x + X(tick));
    line(g, at, bottom, at, bottom + 4, p.line2);
    text(g, p, `${Math.round(tick * 100)}%`, at, bottom + 18, { align: tick === end ? 'right' : 'center' });
  }
  text(g, p, 'Share of the parameters kept', box.x + box.width / 2, bottom + 36, { align: 'center', color: p.text2 });
  text(g, p, shows === 'accuracy' ? 'Accuracy' : 'Loss', box.x, box.y - 10, { color: p.text2, weight: 600 });
  for (const { style, curve } of [...runs].reverse()) {
    const colour = p.series[style - 1] ?? p.series1;
    const full = curve.full[shows];
    if (Number.isFinite(full)) line(g, box.x, box.y + Y(full), right, box.y + Y(full), colour, 1, [1, 3]);
    const points = curve.cuts.filter((cut) => Number.isFinite(cut[shows])).map((cut) => ({ x: X(cut.fraction), y: Y(cut[shows]) }));
    paintLine(g, points, box, colour, style === 1 ? 2 : 1.5, runStyle(style).dash);
    for (const { x, y } of points) paintMarker(g, p, style, { x: box.x + x, y: box.y + y });
  }
}
