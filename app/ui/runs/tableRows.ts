import { differences, valueAt, type Experiment } from '../../protocol/experiment';
import { labelOf, techniqueName, valueText } from '../../protocol/settings';
import { csvLine, type Cell } from '../../store/files';
import type { RunColumn, RunGrid, RunSummary } from '../../store/store';
import { DATASET_CONFIGS } from '../datasets';
import { setting } from '../format';

/** One field in which two experiments differ, in words. */
export interface Difference {
  readonly path: string;
  readonly label: string;
  readonly from: string;
  readonly to: string;
}

/** Names that need fewer words in a table. */
const SHORT: Readonly<Record<string, string>> = {
  dataset: 'data',
  'train.lr': 'lr',
  'method.name': '',
  'method.overrides': 'matrices',
  'method.overrideValues': 'matrices',
};

/** A dense run has no use for what says how another method acts. */
const idle = (path: string, { method }: Experiment): boolean =>
  method.name === 'adamw' && path.startsWith('method.') && path !== 'method.name';
/** Data and method say more than any number of theirs. */
const weight = (path: string): number => (path === 'dataset' ? 0 : path === 'method.name' ? 1 : path.startsWith('method.') ? 2 : 3);

/** The fields in which `to` differs from `from`, as far as they act on either; the most telling first. */
export function differencesOf(from: Experiment, to: Experiment): Difference[] {
  const paths = differences(from, to).filter((path) => !idle(path, from) && !idle(path, to));
  return paths
    .sort((a, b) => weight(a) - weight(b))
    .map((path) => ({
      path,
      label: SHORT[path] ?? labelOf(path).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()),
      from: valueText(from, path),
      to: valueText(to, path),
    }));
}

/** Words of a run that a filter may name. */
const words = (run: RunSummary): string =>
  [
    run.name,
    run.device,
    DATASET_CONFIGS[run.experiment.dataset].label,
    techniqueName(run.experiment),
    run.experiment.method.name,
    run.phase,
    run.imported ? 'imported' : '',
    run.pinned ? 'pinned' : '',
    run.grid ? `grid ${run.grid.name}` : '',
    `λ ${run.experiment.method.lambda}`,
    `seed ${run.experiment.train.seed}`,
  ]
    .join(' ')
    .toLowerCase();

const valueOf = (run: RunSummary, column: RunColumn): string | number | null =>
  column === 'name' ? run.name.toLowerCase() : column === 'loss' ? (run.losses.at(-1) ?? null) : run[column];

/** Runs that hold every word of the filter, the one on screen first, then the pinned, each part sorted; runs without a value last. */
export function rowsOf(
  runs: readonly RunSummary[],
  { here, filter, column, down, pins = true }: { here: string | null; filter: string; column: RunColumn; down: boolean; pins?: boolean },
): RunSummary[] {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (run: RunSummary) => (run.id === here ? 0 : pins && run.pinned ? 1 : 2);
  return runs
    .filter((run) => {
      const text = words(run);
      return wanted.every((word) => text.includes(word));
    })
    .sort((a, b) => {
      const part = rank(a) - rank(b);
      if (part !== 0) return part;
      const [x, y] = [valueOf(a, column), valueOf(b, column)];
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
      return down ? -order : order;
    });
}

/** The runs of a grid, folded into one row. */
export interface GridRows {
  readonly grid: RunGrid;
  /** In the order of the table. */
  readonly runs: readonly RunSummary[];
}

/**
 * Rows of a table in which each grid is one row, where the first of its runs would stand, followed by them where it is open. Pinned runs and
 * the one on screen stand for themselves.
 */
export function foldedRows(rows: readonly RunSummary[], here: string | null, open: readonly string[]): (RunSummary | GridRows)[] {
  const folds = ({ id, pinned, grid }: RunSummary) => (pinned || id === here ? undefined : grid);
  const groups = new Map<string, RunSummary[]>();
  for (const run of rows) {
    const id = folds(run)?.id;
    if (id !== undefined) groups.set(id, [...(groups.get(id) ?? []), run]);
  }
  return rows.flatMap((run) => {
    const grid = folds(run);
    if (!grid) return [run];
    const runs = groups.get(grid.id)!;
    return runs[0] !== run ? [] : [{ grid, runs }, ...(open.includes(grid.id) ? runs : [])];
  });
}

/** The run of a grid with the best accuracy; undefined where none was validated. */
export const bestOf = (runs: readonly RunSummary[]): RunSummary | undefined =>
  runs.reduce<RunSummary | undefined>(
    (best, run) => (run.accuracy !== null && run.accuracy > (best?.accuracy ?? -1) ? run : best),
    undefined,
  );

/** The runs as a table of comma-separated values, with a column for every setting in which any two of them differ. */
export function csvOf(runs: readonly RunSummary[]): string {
  const first = runs[0];
  const paths = first ? [...new Set(runs.flatMap((run) => differences(first.experiment, run.experiment)))] : [];
  const grids = runs.some(({ grid }) => grid);
  const head = [
    'name',
    ...(grids ? ['grid'] : []),
    'date',
    'device',
    'data',
    'method',
    'step',
    'totalSteps',
    'phase',
    'seconds',
    'loss',
    'accuracy',
    'accuracyAt20',
    'tail',
  ];
  const lines = runs.map((run) => [
    ...[
      run.name,
      ...(grids ? [run.grid?.name ?? null] : []),
      new Date(run.date).toISOString(),
      run.device,
      run.experiment.dataset,
      run.experiment.method.name,
    ],
    ...[run.step, run.totalSteps, run.phase, Math.round(run.elapsedMs) / 1000, run.losses.at(-1) ?? null],
    ...[run.accuracy, run.accuracyCut, run.tail],
    ...paths.map((path) => {
      const value = path === 'dataset' ? run.experiment.dataset : valueAt(run.experiment, path.replace('overrideValues', 'overrides'));
      return typeof value === 'object' ? JSON.stringify(value) : (value as Cell);
    }),
    run.id,
  ]);
  return [[...head, ...paths, 'id'], ...lines].map(csvLine).join('');
}

/** 78.1, without its unit; a dash where nothing was measured. */
export const percent = (share: number | null): string => (share === null || !Number.isFinite(share) ? '–' : (100 * share).toFixed(1));

/** "finished", "paused at step 40 of 100". A run that failed with the GPU may be on its way back. */
export function stateText(
  { phase, step, totalSteps }: Pick<RunSummary, 'phase' | 'step' | 'totalSteps'>,
  here: boolean,
  comesBack = false,
): string {
  const at = `step ${setting(step)} of ${setting(totalSteps)}`;
  if (phase === 'finished') return `finished, ${setting(step)} steps`;
  if (phase === 'failed') return here && comesBack ? `GPU lost at ${at}` : `failed at ${at}`;
  return here && phase === 'running' ? `running, ${at}` : here ? `paused at ${at}` : `stopped at ${at}`;
}
