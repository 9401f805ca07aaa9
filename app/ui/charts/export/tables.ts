import type { MatrixSpectrum, Series } from '../../../protocol/messages';
import type { RunEvaluation } from '../../../protocol/run/record';
import { columnsOf, type Columns } from '../../../protocol/run/series';
import { lossScaleAt } from '../../../protocol/lossScale';
import { RECORD_WIDTH } from '../../../protocol/run/record';
import { clock } from '../../../store/clock';
import { csvLine, type Cell } from '../../../store/files';
import { frames } from '../../../store/frames';
import { records } from '../../../store/records';
import type { AppState } from '../../../store/store';
import { stepMap } from '../axis';
import { evaluationsOf } from '../curves';
import { otherCuts } from '../cuts';
import { reportCells } from '../../roofline/picture';
import { methodName } from '../methodName';
import { paceOf, stepsPerEpoch } from '../useXScale';
import { viewedSpectra } from '../viewed';
import type { Item } from './items';

/** Numbers of f32 as they were, without the digits that f64 adds. */
const f32 = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(8)) : value);

/** All steps of a run. */
interface WholeRun {
  readonly label: string;
  readonly columns: Columns & { readonly epoch?: ArrayLike<number>; readonly gradNorm?: ArrayLike<number> };
  readonly evaluations: readonly Omit<RunEvaluation, 'count'>[];
  /** Of a step; undefined where the loss is not scaled. */
  readonly lossScale: (step: number) => number | undefined;
  readonly epoch: (step: number) => number;
  readonly images: (step: number) => number;
  readonly seconds: (step: number) => number;
}

/** A run of which only decimated curves are known: the dense baseline. */
const sparse = (label: string, series: Series): { label: string; series: Series } => ({ label, series });

function wholeRuns(s: AppState): WholeRun[] {
  const out: WholeRun[] = [];
  const { batchSize } = (s.running ?? s.experiment).train;
  if (s.series) {
    const pace = { stepsPerEpoch: stepsPerEpoch(s), batchSize, clock: clock.packed() };
    const { method, train } = s.running ?? s.experiment;
    const scale = (step: number) => lossScaleAt(train, s.marks, step);
    out.push(whole(methodName(method.name), records.columns(), evaluationsOf(s.series), pace, scale));
  }
  for (const run of s.shown) {
    const { name, rows, evaluations, experiment, marks } = run.record;
    const scale = (step: number) => lossScaleAt(experiment.train, marks, step);
    out.push(whole(name, { ...columnsOf(rows), gradNorm: stride(rows, 5) }, evaluations, paceOf(run), scale));
  }
  return out;
}

const stride = (rows: Float64Array, field: number): Float64Array =>
  Float64Array.from({ length: rows.length / RECORD_WIDTH }, (_, i) => rows[i * RECORD_WIDTH + field]!);

function whole(
  label: string,
  columns: WholeRun['columns'],
  evaluations: WholeRun['evaluations'],
  pace: Parameters<typeof stepMap>[1],
  lossScale: WholeRun['lossScale'],
): WholeRun {
  const unknown = () => NaN;
  return {
    label,
    columns,
    evaluations,
    lossScale,
    epoch: stepMap('epoch', pace)?.to ?? unknown,
    images: stepMap('images', pace)!.to,
    seconds: stepMap('seconds', pace)?.to ?? unknown,
  };
}

type ChartItem = 'loss' | 'accuracy' | 'regularizer' | 'lr';
const CHART_HEADS: Record<ChartItem, readonly string[]> = {
  loss: ['training loss', 'smoothed training loss', 'validation loss'],
  accuracy: ['training accuracy', 'smoothed training accuracy', 'validation accuracy'],
  regularizer: ['regularizer value'],
  lr: ['learning rate', 'gradient norm'],
};

/** A line a step, of all runs on the charts; averages over all steps before, as on the page. */
function* chartLines(s: AppState, item: ChartItem): Generator<string> {
  const runs = wholeRuns(s);
  const scaled = item === 'lr' && runs.some(({ lossScale }) => lossScale(1) !== undefined);
  yield csvLine(['run', 'step', 'epoch', 'images', 'seconds', ...CHART_HEADS[item], ...(scaled ? ['loss scale'] : [])]);
  const { smoothing } = s;
  for (const { label, columns, evaluations, lossScale, epoch, images, seconds } of runs) {
    const { loss, accuracy, regularizer, lr, gradNorm } = columns;
    const validated = new Map(evaluations.map((e) => [e.step, e]));
    let [mean, weight] = [0, 0];
    for (let i = 0; i < columns.length; i++) {
      const step = i + 1;
      const at: Cell[] = [label, step, f32(epoch(step)), images(step), f32(seconds(step))];
      if (item === 'regularizer') at.push(f32(regularizer[i]!));
      else if (item === 'lr') at.push(f32(lr[i]!), f32(gradNorm?.[i] ?? NaN), ...(scaled ? [lossScale(step) ?? NaN] : []));
      else {
        const raw = (item === 'loss' ? loss : accuracy)[i]!;
        mean = smoothing * mean + (1 - smoothing) * raw;
        weight = smoothing * weight + (1 - smoothing);
        const e = validated.get(step);
        at.push(f32(raw), f32(mean / weight), f32((item === 'loss' ? e?.loss : e?.accuracy) ?? NaN));
      }
      yield csvLine(at);
    }
  }
  const baseline = s.baseline?.series && sparse(s.baseline.label, s.baseline.series);
  if (baseline) yield* baselineLines(baseline.label, baseline.series, item, scaled);
}

/** The baseline's curve as far as it is kept: its decimated points. */
function* baselineLines(label: string, s: Series, item: ChartItem, scaled: boolean): Generator<string> {
  for (let i = 0; i < s.step.length; i++) {
    const values = {
      loss: [s.loss[i]!, s.lossSmooth[i]!, NaN],
      accuracy: [NaN, s.accuracySmooth[i]!, NaN],
      regularizer: [s.regularizer[i]!],
      lr: [s.lr[i]!, NaN],
    }[item];
    yield csvLine([label, s.step[i]!, NaN, NaN, NaN, ...values.map(f32), ...(scaled ? [NaN] : [])]);
  }
  if (item !== 'loss' && item !== 'accuracy') return;
  const values = item === 'loss' ? s.evalLoss : s.evalAccuracy;
  for (let i = 0; i < s.evalStep.length; i++) yield csvLine([label, s.evalStep[i]!, NaN, NaN, NaN, NaN, NaN, f32(values[i]!)]);
}

const MATRIX_HEAD = ['step', 'matrix', 'block', 'kind', 'rows', 'columns', 'target rank', 'epsilon'] as const;
const matrixCells = (step: number, m: MatrixSpectrum): Cell[] => [
  ...[step, m.name, m.block, m.kind, m.rows, m.cols, m.targetRank],
  m.regularized ? f32(m.epsilon) : NaN,
];

/** A line for each singular value of every matrix, that of the baseline beside it. */
function* wallLines(s: AppState): Generator<string> {
  const viewed = viewedSpectra();
  const dense = new Map(s.baseline?.matrices.map((m) => [m.name, m]));
  yield csvLine([...MATRIX_HEAD, 'index', 'sigma', ...(s.baseline ? ['sigma of the dense baseline'] : [])]);
  for (const m of viewed?.matrices ?? []) {
    const cells = matrixCells(viewed!.step, m);
    const other = dense.get(m.name);
    for (let i = 0; i < m.sigma.length; i++)
      yield csvLine([...cells, i + 1, f32(m.sigma[i]!), ...(s.baseline ? [f32(other?.sigma[i] ?? NaN)] : [])]);
  }
}

/** The selected matrix, or the first where there is none of that name. */
export function selectedMatrix(s: AppState): { step: number; matrix: MatrixSpectrum } | null {
  const viewed = viewedSpectra();
  const source = s.wallView === 'baseline' && s.baseline ? s.baseline : viewed;
  const matrix = source?.matrices.find((m) => m.name === s.selected) ?? source?.matrices[0];
  return matrix ? { step: source!.step, matrix } : null;
}

function* spectrumLines(s: AppState): Generator<string> {
  const found = selectedMatrix(s);
  yield csvLine([...MATRIX_HEAD, 'index', 'sigma', 'kept']);
  if (!found) return;
  const { step, matrix } = found;
  const cells = matrixCells(step, matrix);
  for (let i = 0; i < matrix.sigma.length; i++)
    yield csvLine([...cells, i + 1, f32(matrix.sigma[i]!), i < matrix.targetRank ? 'yes' : 'no']);
}

/** A line for each singular value of the selected matrix at every step whose spectra are kept. */
function* heatLines(s: AppState): Generator<string> {
  const name = selectedMatrix(s)?.matrix.name;
  yield csvLine([...MATRIX_HEAD, 'effective rank', 'stable rank', 'tail energy', 'index', 'sigma']);
  for (const { step, matrices } of frames.all()) {
    const m = matrices.find((other) => other.name === name);
    if (!m) continue;
    const cells = [...matrixCells(step, m), f32(m.effectiveRank), f32(m.stableRank), f32(1 - m.tailRatio)];
    for (let i = 0; i < m.sigma.length; i++) yield csvLine([...cells, i + 1, f32(m.sigma[i]!)]);
  }
}

function* truncationLines(s: AppState): Generator<string> {
  yield csvLine([
    ...['run', 'step', 'by', 'share asked for', 'share of parameters', 'smallest rank', 'largest rank', 'accuracy', 'loss', 'images'],
    ...['parameters', 'parameters of the factors', 'FLOPs per image', 'ms per image'],
  ]);
  const dense = (s.running ?? s.experiment).method.name === 'adamw' ? null : s.baseline;
  for (const by of ['fraction', 'energy'] as const) {
    const mine = s.curves[by];
    const own = mine ? [{ label: methodName((s.running ?? s.experiment).method.name), curve: mine }] : [];
    for (const { label, curve } of [...own, ...otherCuts(dense, s.shown, by)]) {
      const figures = (c: typeof curve.full): Cell[] => [
        ...[f32(c.accuracy), f32(c.loss), c.count, c.parameters, c.stored, c.flops],
        c.milliseconds === null ? NaN : f32(c.milliseconds),
      ];
      for (const cut of curve.cuts)
        yield csvLine([
          ...[label, cut.step, by, by === 'energy' ? (cut.energy ?? NaN) : cut.fraction, f32(cut.fraction)],
          ...[Math.min(...cut.ranks), Math.max(...cut.ranks), ...figures(cut)],
        ]);
      yield csvLine([label, curve.step, by, 'full model', NaN, NaN, NaN, ...figures(curve.full)]);
    }
  }
}

function* rooflineLines({ roofline }: AppState): Generator<string> {
  if (roofline) for (const cells of reportCells(roofline)) yield csvLine(cells);
}

/** The data behind a picture as lines of CSV, the head first; made as they are asked for. */
export function linesOf(s: AppState, item: Item): Generator<string> {
  switch (item) {
    case 'wall':
      return wallLines(s);
    case 'spectrum':
      return spectrumLines(s);
    case 'heat':
      return heatLines(s);
    case 'truncation':
      return truncationLines(s);
    case 'roofline':
      return rooflineLines(s);
    default:
      return chartLines(s, item);
  }
}

/** The pictures that there are data for. */
export function itemsWithData(s: AppState): Item[] {
  const out: Item[] = [];
  if (s.series || s.shown.length > 0) out.push('loss', 'accuracy', 'regularizer', 'lr');
  if (s.spectra) out.push('wall', 'spectrum');
  if (frames.length > 1) out.push('heat');
  if (Object.keys(s.curves).length > 0) out.push('truncation');
  if (s.roofline) out.push('roofline');
  return out;
}
