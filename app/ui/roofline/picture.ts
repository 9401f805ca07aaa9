import { kernelTime, ratesOf, type RooflineReport } from '../../protocol/roofline';
import { text, type Context, type Palette } from '../charts/canvas';
import { MARGIN, paintMarker, paintRoofline } from './paint';
import { PART_MARKERS, PART_NAMES, partColour } from './parts';
import { rooflineShape, rowsOf } from './shape';

/** The chart for a file, from its own corner. */
export function paintReport(g: Context, width: number, height: number, p: Palette, report: RooflineReport): void {
  const size = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  paintRoofline(g, p, rooflineShape(rowsOf(report), report, size.width, size.height), report, size, null);
}

/** The parts of the step with their markers, from `x` on. */
export function paintParts(g: Context, p: Palette, report: RooflineReport, x: number, y: number): void {
  for (const part of new Set(report.kernels.map((kernel) => kernel.part))) {
    paintMarker(g, PART_MARKERS[part], x + 5, y - 4, 4, partColour(p, part));
    text(g, p, PART_NAMES[part], x + 16, y, { size: 12, color: p.text2 });
    x += 16 + g.measureText(PART_NAMES[part]).width + 18;
  }
}

const HEAD = [
  ...['device', 'date', 'part', 'kernel', 'variant', 'dispatches', 'ms per step', 'share', 'FLOP per step', 'bytes per step'],
  ...['GFLOP/s', 'GB/s', 'FLOP per byte', 'share of the roof', 'counted by formula', 'peak GFLOP/s', 'peak GB/s'],
];

/** A line for each kernel, the head first. */
export function* reportCells(report: RooflineReport): Generator<readonly (string | number)[]> {
  yield HEAD;
  const { device, date, kernels, peaks } = report;
  const total = kernelTime(kernels);
  const round = (value: number): number => Number(value.toPrecision(6));
  for (const kernel of kernels) {
    const { share, gflops, gbps, intensity, ofRoof } = ratesOf(kernel, peaks, total);
    yield [
      ...[device, date, kernel.part, kernel.name, kernel.kernel, round(kernel.dispatches), round(kernel.milliseconds), round(share)],
      ...[Math.round(kernel.flops), Math.round(kernel.bytes), round(gflops), round(gbps), round(intensity), round(ofRoof)],
      ...[kernel.counted ? 'yes' : 'no', round(peaks.gflops), round(peaks.gbps)],
    ];
  }
}
