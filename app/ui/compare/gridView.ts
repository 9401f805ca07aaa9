import { metricOf, type CellFigures, type GridMetric } from '../../store/compare/grid/cellFigures';
import { cellsOf, isDense, type GridCell, type GridDefinition } from '../../store/compare/grid/definition';
import { paretoFront, type ParetoPoint } from '../../store/compare/grid/pareto';
import type { CellResult } from '../../store/compare/grid/shelf';
import { formatFixed, formatPercent } from '../charts/format';

export interface MetricView {
  readonly value: GridMetric;
  readonly label: string;
  readonly title: string;
  readonly share: boolean;
}

export const METRICS: readonly MetricView[] = [
  { value: 'atTarget', label: 'accuracy at target rank', title: 'Accuracy after cutting to the target rank', share: true },
  { value: 'atShare', label: 'accuracy at a share kept', title: 'Accuracy after cutting', share: true },
  { value: 'accuracy', label: 'accuracy, uncut', title: 'Accuracy, all parameters', share: true },
  { value: 'loss', label: 'loss, training', title: 'Loss, training', share: false },
  { value: 'effectiveRank', label: 'effective rank, mean', title: 'Effective rank, mean', share: false },
  { value: 'tailEnergy', label: 'tail energy, mean', title: 'Tail energy, mean', share: true },
];

/** A figure for a cell of the map: per cent without the sign, or the number. */
export function metricText(value: number, metric: GridMetric): string {
  if (!Number.isFinite(value)) return '–';
  const view = METRICS.find((m) => m.value === metric)!;
  if (view.share) return formatFixed(value * 100, value > 0 && value < 0.0995 && metric === 'tailEnergy' ? 2 : 1);
  return formatFixed(value, metric === 'loss' ? 3 : 1);
}
export const metricWords = (value: number, metric: GridMetric): string =>
  METRICS.find((m) => m.value === metric)!.share ? formatPercent(value, 1) : metricText(value, metric);

/** A place of the map: the runs of all seeds with the same two values. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly cells: readonly GridCell[];
  /** Mean over the seeds that are done; NaN while none is. */
  readonly value: number;
  /** Seeds that are done. */
  readonly done: number;
  readonly failed: number;
  readonly onFront: boolean;
}

export interface GridPoint extends ParetoPoint {
  readonly x: number;
  readonly y: number;
  readonly dense: boolean;
}

type Results = readonly (CellResult | undefined)[];

/** Target ranks differ over the grid, so that each run has a share of its own. */
export const hasOwnShares = ({ x, y }: GridDefinition): boolean =>
  [x, y].some(({ path }) => ['method.targetRank', 'method.rankRule'].includes(path) || path.startsWith('model.'));

/** What the chart of accuracy against parameters shows: each run at its own share, or where all have the same one, each at every share measured. */
export function gridPoints(definition: GridDefinition, results: Results): GridPoint[] {
  const own = hasOwnShares(definition);
  return cellsOf(definition).flatMap((cell): GridPoint[] => {
    const figures = results[cell.index]?.figures;
    if (!figures) return [];
    const about = { x: cell.x, y: cell.y, dense: isDense(cell.experiment) };
    const pairs: readonly (readonly [number, number])[] = own ? [[figures.kept, figures.atTarget]] : figures.cuts;
    return pairs.filter((pair) => pair.every(Number.isFinite)).map(([kept, accuracy]) => ({ ...about, kept, accuracy }));
  });
}

/** The truncation curve of the best dense run of the grid; empty where there is none. */
export function denseCurve(definition: GridDefinition, results: Results): CellFigures['cuts'] {
  const dense = cellsOf(definition)
    .filter((cell) => isDense(cell.experiment))
    .flatMap((cell) => results[cell.index]?.figures ?? []);
  return dense.reduce<CellFigures | null>((best, next) => (best && !(next.accuracy > best.accuracy) ? best : next), null)?.cuts ?? [];
}

/** All places of the map, row by row. */
export function placesOf(definition: GridDefinition, results: Results, metric: GridMetric, share: number): Place[] {
  const front = new Set(paretoFront(gridPoints(definition, results).filter((p) => !p.dense)).map(({ x, y }) => `${x},${y}`));
  const cells = cellsOf(definition);
  const out: Place[] = [];
  for (let y = 0; y < definition.y.values.length; y++)
    for (let x = 0; x < definition.x.values.length; x++) {
      const here = cells.filter((cell) => cell.x === x && cell.y === y);
      const known = here.flatMap((cell) => results[cell.index]?.figures ?? []);
      const values = known.map((figures) => metricOf(figures, metric, share)).filter(Number.isFinite);
      out.push({
        x,
        y,
        cells: here,
        value: values.length ? values.reduce((a, b) => a + b, 0) / values.length : NaN,
        done: known.length,
        failed: here.filter((cell) => results[cell.index]?.problem).length,
        onFront: front.has(`${x},${y}`),
      });
    }
  return out;
}

/** Lowest and highest figure of the map; nothing is between where they are equal. */
export function rangeOf(places: readonly Place[]): readonly [number, number] {
  const values = places.map((place) => place.value).filter(Number.isFinite);
  return values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
}

/** Seconds until a grid is done: by the runs that are, else by the speed of the one under way. Null before anything is known. */
export function secondsLeft(
  definition: GridDefinition,
  results: Results,
  current: { readonly share: number; readonly total: number; readonly msPerStep: number | null } | null,
): number | null {
  const runs = cellsOf(definition).length;
  const ended = results.filter((r) => r !== undefined);
  const times = ended.filter((r) => r.figures).map((r) => r.wallMs);
  const each = times.length
    ? times.reduce((a, b) => a + b, 0) / times.length
    : current?.msPerStep
      ? current.msPerStep * current.total
      : null;
  if (each === null) return null;
  return (Math.max(0, runs - ended.length - (current?.share ?? 0)) * each) / 1000;
}
