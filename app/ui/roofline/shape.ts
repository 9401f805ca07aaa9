import { kernelTime, ratesOf, ridge, roofAt, type KernelFigures, type KernelRates, type RooflineReport } from '../../protocol/roofline';

/** A kernel with its rates, as chart and table show it. */
export interface Row extends KernelFigures, KernelRates {
  /** Place in the report. */
  readonly index: number;
}

export function rowsOf({ kernels, peaks }: RooflineReport): Row[] {
  const total = kernelTime(kernels);
  return kernels.map((kernel, index) => ({ ...kernel, ...ratesOf(kernel, peaks, total), index }));
}

/** A kernel that computes something has a place; what only moves data has none on a logarithmic axis. */
export const hasPlace = ({ intensity, gflops }: KernelRates): boolean => intensity > 0 && gflops > 0;

export interface Point {
  readonly row: Row;
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

/** Both axes in decades, and all in pixels of a plot of this size. */
export interface RooflineShape {
  readonly x: { readonly low: number; readonly high: number };
  readonly y: { readonly low: number; readonly high: number };
  readonly X: (intensity: number) => number;
  readonly Y: (gflops: number) => number;
  /** Largest first, so that the small ones lie on top. */
  readonly points: readonly Point[];
  /** Left end, ridge and right end of the roof. */
  readonly roof: readonly (readonly [number, number])[];
}

/** Radii of points: the area above the least grows with the share of the time. */
const RADIUS = { least: 3, more: 9 };
/** No kernel so far under the roof widens the chart: it is drawn at its foot. */
const DECADES = 4;

export function rooflineShape(rows: readonly Row[], { peaks }: RooflineReport, width: number, height: number): RooflineShape {
  const placed = rows.filter(hasPlace);
  const top = Math.ceil(Math.log10(peaks.gflops) * 2 + 0.2) / 2;
  const slowest = Math.min(...placed.map((row) => Math.log10(row.gflops)), top - 2);
  const y = { low: Math.max(Math.floor(slowest), Math.floor(top) - DECADES), high: top };
  const intensities = placed.map((row) => Math.log10(row.intensity));
  const x = {
    low: Math.max(-3, Math.floor(Math.min(...intensities, Math.log10(ridge(peaks)) - 1))),
    high: Math.ceil(Math.max(...intensities, Math.log10(ridge(peaks)) + 1) * 2) / 2,
  };
  const X = (intensity: number) => ((Math.log10(intensity) - x.low) / (x.high - x.low)) * width;
  const Y = (gflops: number) => (1 - (Math.log10(gflops) - y.low) / (y.high - y.low)) * height;
  const largest = Math.max(...placed.map((row) => row.share), 1e-9);
  const points = placed
    .map((row) => ({
      row,
      x: Math.min(width, Math.max(0, X(row.intensity))),
      y: Math.min(height, Math.max(0, Y(row.gflops))),
      r: RADIUS.least + RADIUS.more * Math.sqrt(row.share / largest),
    }))
    .sort((a, b) => b.r - a.r);
  // The slanted part begins where it enters the plot.
  const first = Math.max(10 ** x.low, 10 ** y.low / peaks.gbps);
  const roof = [first, ridge(peaks), 10 ** x.high].map((i): [number, number] => [X(i), Y(roofAt(peaks, i))]);
  return { x, y, X, Y, points, roof };
}
