import type { ChartKind, ChartRow, ValueAxis } from './chartData';

/** A place in the plot, CSS pixels from its top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The curves of one chart as places in its plot. */
export interface ChartShape {
  /** Highest and lowest raw loss, once points stand for several steps each. */
  readonly band: { readonly high: readonly Point[]; readonly low: readonly Point[] } | null;
  /** The unsmoothed loss, or the training accuracy behind that of validation. */
  readonly raw: readonly Point[];
  readonly other: readonly Point[];
  /** `measured`: the points are evaluations. */
  readonly main: { readonly points: readonly Point[]; readonly measured: boolean };
  /** The newest point of the main curve. */
  readonly end: Point | undefined;
}

type Column = 'loss' | 'smooth' | 'accuracy' | 'regularizer' | 'lr' | 'validation' | 'otherSmooth' | 'otherAccuracy';

/** Places every curve of a chart in a plot of the given size, whose horizontal axis ends at `lastStep`. */
export function chartShape(
  kind: ChartKind,
  rows: readonly ChartRow[],
  { domain: [low, high], log }: ValueAxis,
  lastStep: number,
  { width, height }: { width: number; height: number },
): ChartShape {
  const X = (step: number): number => Math.round((step / lastStep) * width * 100) / 100;
  const share = log
    ? (v: number): number => Math.log(Math.max(v, low * 1e-6) / low) / Math.log(high / low)
    : (v: number): number => (v - low) / (high - low);
  const Y = (v: number): number => Math.round((1 - share(v)) * height * 100) / 100;
  const curve = (key: Column): Point[] => {
    const out: Point[] = [];
    for (const row of rows) if (row[key] !== null) out.push({ x: X(row.step), y: Y(row[key]) });
    return out;
  };
  const loss = kind === 'loss';
  const banded = loss ? rows.filter((row) => row.band) : [];
  const measured = kind === 'accuracy' && rows.some((row) => row.validation !== null);
  const points = curve(loss ? 'smooth' : measured ? 'validation' : kind);
  return {
    band:
      banded.length > 0
        ? {
            high: banded.map(({ step, band }) => ({ x: X(step), y: Y(band![1]) })),
            low: banded.map(({ step, band }) => ({ x: X(step), y: Y(band![0]) })),
          }
        : null,
    raw: loss && banded.length === 0 ? curve('loss') : measured ? curve('accuracy') : [],
    other: loss ? curve('otherSmooth') : kind === 'accuracy' ? curve('otherAccuracy') : [],
    main: { points, measured },
    end: points.at(-1),
  };
}
