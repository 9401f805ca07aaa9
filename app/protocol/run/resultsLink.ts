import { deflateSync, inflateSync } from 'fflate';
import type { Experiment } from '../experiment';
import type { FactorPlan, MatrixKind, MatrixSpectrum, RunPhase, Series, StepRecord } from '../messages';
import { toHash } from '../shareUrl';
import type { Cut, CutBy, CutCurve, ModelFigures } from '../truncation';
import { fromBase64, toBase64 } from './base64';
import { checksum, PackedError, Reader, Writer } from './packed';
import { RECORD_FIELDS, type RunRecord, type SpectraFrame } from './record';

/** The results of a link cannot be read. The message says what is wrong with them. */
export class ResultsLinkError extends Error {
  override name = 'ResultsLinkError';
}

/** What a link holds of a run: its curves at some points, and all that can be said of it in few words. */
export interface Results {
  /** Without rows and times; the last spectra at most. */
  readonly run: RunRecord;
  readonly series: Series;
  readonly latest: StepRecord | null;
}

/** Results as a part of a link, and how much of them it holds. */
export interface PackedResults {
  readonly text: string;
  readonly points: number;
  readonly evaluations: number;
  readonly cuts: number;
  readonly marks: number;
  /** Codes that double a singular value; 0 where the spectra are left out. */
  readonly levels: number;
}

const VERSION = 1;
/** Longest text that is read; longer ones are not written. */
const MAX_TEXT = 16_384;
/** Most a part of a link unpacks to, bytes. */
const MAX_BYTES = 2 ** 20;
const PHASES: readonly RunPhase[] = ['idle', 'preparing', 'running', 'paused', 'finished', 'failed'];
const KINDS: readonly MatrixKind[] = ['q', 'k', 'v', 'qkv', 'proj', 'fc1', 'fc2', 'head', 'patch_embed'];
const COLUMNS = ['loss', 'lossMin', 'lossMax', 'lossSmooth', 'accuracySmooth', 'regularizer', 'lr'] as const;
const BYS: readonly CutBy[] = ['fraction', 'energy'];
/** What is tried in turn until the link is short enough: spectra coarser and coarser, then fewer points. */
const TRIES = [
  { points: 100, levels: 32 },
  { points: 100, levels: 16 },
  { points: 100, levels: 8 },
  { points: 100, levels: 0 },
  { points: 50, levels: 0 },
  { points: 25, levels: 0 },
  { points: 12, levels: 0 },
];
const MAX_MARKS = 20;

const figuresTo = (w: Writer, f: ModelFigures): void => {
  for (const x of [f.parameters, f.stored, f.flops, f.count]) w.whole(x);
  w.byte(f.milliseconds === null ? 0 : 1);
  if (f.milliseconds !== null) w.number(f.milliseconds);
  w.number(f.loss);
  w.share(f.accuracy);
};
const figuresFrom = (r: Reader): ModelFigures => {
  const [parameters, stored, flops, count] = [r.whole(), r.whole(), r.whole(), r.whole(2 ** 40)];
  return { parameters, stored, flops, count, milliseconds: r.flag() ? r.number() : null, loss: r.number(), accuracy: r.share() };
};

function curveTo(w: Writer, curve: CutCurve): void {
  w.whole(curve.step);
  figuresTo(w, curve.full);
  w.whole(curve.cuts.length);
  for (const cut of curve.cuts) {
    w.signed(cut.step - curve.step);
    w.share(cut.fraction);
    w.byte(cut.energy === undefined ? 0 : 1);
    if (cut.energy !== undefined) w.share(cut.energy);
    w.whole(cut.ranks.length);
    for (const rank of cut.ranks) w.whole(rank);
    figuresTo(w, cut);
  }
}
function curveFrom(r: Reader, by: CutBy): CutCurve {
  const step = r.whole(2 ** 40);
  const full = figuresFrom(r);
  const cuts = Array.from({ length: r.count(200) }, (): Cut => {
    const at = step + r.signed();
    const fraction = r.share(4);
    const energy = r.flag() ? { energy: r.share() } : {};
    const ranks = Array.from({ length: r.count(10_000) }, () => r.whole(1 << 20));
    return { step: at, fraction, ...energy, ranks, ...figuresFrom(r) };
  });
  return { step, by, full, cuts };
}

function matrixTo(w: Writer, m: MatrixSpectrum, levels: number): void {
  w.text(m.name);
  w.signed(m.block);
  w.whole(KINDS.indexOf(m.kind));
  for (const x of [m.rows, m.cols, m.targetRank]) w.whole(x);
  const bits = [m.regularized, m.overridden, m.off, m.slice, m.lambdaScale !== undefined, m.factors];
  w.byte(bits.reduce<number>((sum, bit, i) => sum + (bit ? 2 ** i : 0), 0));
  if (m.slice) for (const x of m.slice) w.whole(x);
  if (m.lambdaScale !== undefined) w.exact(m.lambdaScale);
  if (m.factors) {
    w.whole(m.factors.length);
    for (const f of m.factors) {
      w.text(f.name);
      for (const x of [f.rows, f.cols, f.targetRank]) w.whole(x);
      w.byte(f.regularized ? 1 : 0);
    }
  }
  for (const x of [m.epsilon, m.residual, m.value]) w.number(x);
  for (const x of [m.envelopeRank, m.sketch]) w.whole(x);
  w.numbers(m.sigma, levels);
}

const sizeFrom = (r: Reader): number => {
  const size = r.whole(1 << 20);
  if (size < 1) throw new PackedError('a matrix has no rows or columns');
  return size;
};

function matrixFrom(r: Reader, levels: number): MatrixSpectrum {
  const name = r.text();
  const block = r.signed();
  if (block < -1 || block > 10_000) throw new PackedError(`there is no block ${block}`);
  const kind = r.choice(KINDS);
  const [rows, cols, targetRank] = [sizeFrom(r), sizeFrom(r), r.whole(1 << 20)];
  const bits = r.byte();
  if (bits > 63) throw new PackedError('a matrix is marked as nothing known');
  const has = (i: number): boolean => ((bits >> i) & 1) === 1;
  const slice = has(3) ? ([r.whole(1 << 20), r.whole(1 << 20)] as const) : undefined;
  const lambdaScale = has(4) ? r.exact() : undefined;
  const factors = has(5)
    ? Array.from({ length: r.count(64) }, (): FactorPlan => {
        const factor = r.text();
        return { name: factor, rows: sizeFrom(r), cols: sizeFrom(r), targetRank: r.whole(1 << 20), regularized: r.flag() };
      })
    : undefined;
  const [epsilon, residual, value] = [r.number(), r.number(), r.number()];
  const [envelopeRank, sketch] = [r.whole(1 << 20), r.whole(1 << 20)];
  const sigma = r.numbers(Math.min(rows, cols), levels);
  return {
    ...{ name, block, kind, rows, cols, targetRank, regularized: has(0) },
    ...(has(1) && { overridden: true }),
    ...(has(2) && { off: true }),
    ...(slice && { slice }),
    ...(lambdaScale !== undefined && { lambdaScale }),
    ...(factors && { factors }),
    ...{ epsilon, residual, value, envelopeRank, sketch, sigma },
    ...ranksOf(sigma, targetRank),
  };
}

/** What follows from the singular values. */
function ranksOf(sigma: Float32Array, targetRank: number): Pick<MatrixSpectrum, 'effectiveRank' | 'stableRank' | 'tailRatio'> {
  const total = sigma.reduce((sum, x) => sum + x, 0);
  const square = sigma.reduce((sum, x) => sum + x * x, 0);
  const entropy = sigma.reduce((sum, x) => (x > 0 ? sum - (x / total) * Math.log(x / total) : sum), 0);
  const head = sigma.subarray(0, targetRank).reduce((sum, x) => sum + x * x, 0);
  return { effectiveRank: Math.exp(entropy), stableRank: square / sigma[0]! ** 2, tailRatio: head / square };
}

/** Every so manieth from the end on, at most `count`. */
function thinned<T>(list: readonly T[], count: number): T[] {
  const every = Math.max(1, Math.ceil(list.length / count));
  return list.filter((_, i) => (list.length - 1 - i) % every === 0);
}

/** The bytes of a run, without packing; `series` may have more points than are wanted. */
export function writeResults(run: RunRecord, series: Series, latest: StepRecord | null, points: number, levels: number): Writer {
  const w = new Writer();
  w.whole(checksum(new TextEncoder().encode(toHash(run.experiment))));
  for (const text of [run.name, run.origin.device, run.origin.version]) w.text(text.slice(0, 300));
  w.byte(run.origin.software ? 1 : 0);
  for (const x of [run.origin.trainCount, run.date, run.step, run.totalSteps, run.elapsedMs]) w.whole(x);
  w.whole(PHASES.indexOf(run.phase));
  const marks = run.marks.slice(-MAX_MARKS);
  w.whole(marks.length);
  for (const mark of marks) {
    w.whole(mark.step);
    w.text(mark.field);
    w.exact(mark.from);
    w.exact(mark.to);
  }
  w.byte(latest ? 1 : 0);
  if (latest) {
    w.whole(latest.step);
    for (const field of RECORD_FIELDS) w.number(latest[field]);
  }
  w.whole(series.step.length);
  w.steps(series.step);
  for (const name of COLUMNS) w.numbers(series[name]);
  const evaluations = thinned(run.evaluations, points);
  w.whole(evaluations.length);
  w.steps(evaluations.map((e) => e.step));
  w.numbers(evaluations.map((e) => e.loss));
  w.numbers(evaluations.map((e) => e.accuracy));
  for (const e of evaluations) w.whole(e.count);
  for (const by of BYS) {
    const curve = run.curves[by];
    w.byte(curve ? 1 : 0);
    if (curve) curveTo(w, curve);
  }
  const last = run.frames.at(-1);
  w.whole(last ? levels : 0);
  if (last && levels > 0) {
    w.whole(last.step);
    w.whole(last.matrices.length);
    for (const matrix of last.matrices) matrixTo(w, matrix, levels);
  }
  return w;
}

/** Reads what `writeResults` wrote. @throws PackedError, ResultsLinkError where they are another experiment's */
export function readResults(bytes: Uint8Array, experiment: Experiment): Results {
  const r = new Reader(bytes);
  const same = r.whole() === checksum(new TextEncoder().encode(toHash(experiment)));
  const [name, device, version] = [r.text(), r.text(), r.text()];
  const software = r.flag();
  const [trainCount, date, step, totalSteps, elapsedMs] = [r.whole(2 ** 40), r.whole(8e15), r.whole(2 ** 40), r.whole(2 ** 40), r.whole()];
  const phase = r.choice(PHASES);
  const marks = Array.from({ length: r.count(MAX_MARKS) }, () => ({
    step: r.whole(2 ** 40),
    field: r.text(),
    from: r.exact(),
    to: r.exact(),
  }));
  const latest = r.flag()
    ? ({ step: r.whole(2 ** 40), ...Object.fromEntries(RECORD_FIELDS.map((field) => [field, r.number()])) } as StepRecord)
    : null;
  const n = r.count(400);
  const steps = r.steps(n, 1);
  const columns = Object.fromEntries(COLUMNS.map((column) => [column, r.numbers(n)])) as Pick<Series, (typeof COLUMNS)[number]>;
  const e = r.count(400);
  const evalStep = r.steps(e, 0);
  const [evalLoss, evalAccuracy] = [r.numbers(e), r.numbers(e)];
  const counts = Array.from({ length: e }, () => r.whole(2 ** 40));
  const [fraction, energy] = BYS.map((by) => (r.flag() ? curveFrom(r, by) : undefined));
  const frames: SpectraFrame[] = [];
  const levels = r.whole(32);
  if (![0, 8, 16, 32].includes(levels)) throw new PackedError('its spectra are written in another way');
  if (levels > 0) {
    const at = r.whole(2 ** 40);
    frames.push({ step: at, matrices: Array.from({ length: r.count(10_000) }, () => matrixFrom(r, levels)) });
  }
  r.end();
  if (!same) throw new ResultsLinkError('The results in the link belong to other settings than the link has; they are not shown.');
  const evaluations = counts.map((count, i) => ({ step: evalStep[i]!, loss: evalLoss[i]!, accuracy: evalAccuracy[i]!, count }));
  const run: RunRecord = {
    ...{ id: 'link', name, date, origin: { device, software, version, trainCount }, experiment, parent: null, phase },
    ...{ step, totalSteps, elapsedMs, marks, rows: new Float64Array(0), clock: new Float64Array(0), evaluations, frames },
    curves: { ...(fraction && { fraction }), ...(energy && { energy }) },
  };
  return { run, latest, series: { runId: 0, step: steps, ...columns, evalStep, evalLoss, evalAccuracy } };
}

/**
 * The results of a run as text for a link, as much of them as fits into `room` characters: the spectra go first, then points of the curves.
 * `seriesAt` gives the curves in at most so many points. @throws ResultsLinkError where not even the least fits
 */
export function encodeResults(
  run: RunRecord,
  seriesAt: (points: number) => Series,
  latest: StepRecord | null,
  room: number,
): PackedResults {
  let length = 0;
  for (const { points, levels } of TRIES) {
    const series = seriesAt(points);
    const payload = writeResults(run, series, latest, points, levels).bytes;
    const packed = deflateSync(payload, { level: 9 });
    const whole = new Uint8Array(5 + packed.length);
    whole[0] = VERSION;
    new DataView(whole.buffer).setUint32(1, checksum(payload));
    whole.set(packed, 5);
    const text = toBase64(whole, true);
    length = text.length;
    if (length > room) continue;
    return {
      ...{ text, points: series.step.length, levels: run.frames.length > 0 ? levels : 0 },
      evaluations: Math.min(run.evaluations.length, thinned(run.evaluations, points).length),
      cuts: BYS.reduce((sum, by) => sum + (run.curves[by]?.cuts.length ?? 0), 0),
      marks: Math.min(run.marks.length, MAX_MARKS),
    };
  }
  throw new ResultsLinkError(`The results do not fit into a link: they take ${length} characters where ${Math.max(0, room)} are left.`);
}

/** The results in the text of a link that has this experiment. @throws ResultsLinkError; nothing of them counts then */
export function decodeResults(text: string, experiment: Experiment): Results {
  const damaged = (what: string): ResultsLinkError =>
    new ResultsLinkError(`The results in the link are damaged (${what}), so they are not shown. Was the link cut off?`);
  if (text.length > MAX_TEXT) throw damaged(`${text.length} characters where at most ${MAX_TEXT} are read`);
  const bytes = /^[\w-]+$/.test(text) ? fromBase64(text) : undefined;
  if (!bytes || bytes.length < 6) throw damaged('they are no base64');
  if (bytes[0] !== VERSION)
    throw new ResultsLinkError(`The results in the link are of version ${bytes[0]}; this page reads version ${VERSION}.`);
  let payload: Uint8Array;
  try {
    payload = inflateSync(bytes.subarray(5));
  } catch {
    throw damaged('they cannot be unpacked');
  }
  if (payload.length > MAX_BYTES) throw damaged('they are too long');
  if (checksum(payload) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)) throw damaged('their checksum is wrong');
  try {
    return readResults(payload, experiment);
  } catch (error) {
    throw error instanceof PackedError ? damaged(error.message) : error;
  }
}
