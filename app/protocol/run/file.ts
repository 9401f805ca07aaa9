import * as v from 'valibot';
import { ConfigError, parseExperiment, type Experiment } from '../experiment';
import type { MatrixPlan, MatrixSpectrum } from '../messages';
import { fromBase64, toBase64 } from './base64';
import { RECORD_WIDTH, type RunRecord, type SpectraFrame } from './record';

/** What is written, and the newest that can be read. */
const FORMAT = 'q3r-run';
const VERSION = 1;

/** A run file cannot be read. The message says what was expected and what was found. */
export class RunFileError extends Error {
  override name = 'RunFileError';
}

/** Figures of a matrix in a frame, beside its singular values. */
const SCALARS = ['epsilon', 'envelopeRank', 'sketch', 'residual', 'effectiveRank', 'stableRank', 'tailRatio', 'value'] as const;

type Words = Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
const bytesOf = ({ buffer, byteOffset, byteLength }: Words): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
const f64 = (values: Float64Array) => ({ f64: toBase64(bytesOf(values.slice())) });
const f32 = (values: Float32Array) => ({ f32: toBase64(bytesOf(values.slice())) });

/** Numbers as JSON has them: what is not finite becomes null. */
const real = v.pipe(
  v.nullable(v.number()),
  v.transform((x) => x ?? NaN),
);
const whole = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 40));
const short = v.pipe(v.string(), v.maxLength(300));
const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 20));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(4));

/** Base64 of little-endian floats. */
const floats = <T extends Words>(key: 'f64' | 'f32', make: (buffer: ArrayBuffer) => T, width: number) =>
  v.pipe(
    v.strictObject({ [key]: v.string() }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const bytes = fromBase64(dataset.value[key]!);
      if (bytes && bytes.length % width === 0) return make(bytes.buffer);
      addIssue({ message: bytes ? `${bytes.length} bytes are no whole number of values` : 'it is no base64' });
      return NEVER;
    }),
  );
const doubles = floats('f64', (buffer) => new Float64Array(buffer), 8);
const singles = floats('f32', (buffer) => new Float32Array(buffer), 4);

const factor = v.object({ name: short, rows: size, cols: size, targetRank: whole, regularized: v.boolean() });
const plan = v.object({
  name: short,
  block: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(10_000)),
  kind: v.picklist(['q', 'k', 'v', 'qkv', 'proj', 'fc1', 'fc2', 'head', 'patch_embed']),
  rows: size,
  cols: size,
  targetRank: whole,
  regularized: v.boolean(),
  slice: v.exactOptional(v.tuple([whole, whole])),
  lambdaScale: v.exactOptional(v.number()),
  overridden: v.exactOptional(v.boolean()),
  off: v.exactOptional(v.boolean()),
  factors: v.exactOptional(v.pipe(v.array(factor), v.maxLength(64))),
});

const figures = {
  parameters: v.number(),
  stored: v.number(),
  flops: v.number(),
  milliseconds: v.nullable(v.number()),
  loss: real,
  accuracy: real,
  count: whole,
};
const curve = (by: 'fraction' | 'energy') =>
  v.object({
    step: whole,
    by: v.literal(by),
    full: v.object(figures),
    cuts: v.pipe(
      v.array(v.object({ ...figures, step: whole, fraction: share, energy: v.exactOptional(share), ranks: v.array(whole) })),
      v.maxLength(200),
    ),
  });

const schema = v.object({
  format: v.literal(FORMAT),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  id: v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/)),
  name: short,
  date: v.pipe(v.number(), v.minValue(0), v.maxValue(8e15)),
  origin: v.object({ device: short, software: v.boolean(), version: short, trainCount: whole }),
  experiment: v.unknown(),
  parent: v.nullable(v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/))),
  phase: v.picklist(['idle', 'preparing', 'running', 'paused', 'finished', 'failed']),
  step: whole,
  totalSteps: whole,
  elapsedMs: v.pipe(v.number(), v.minValue(0)),
  marks: v.pipe(v.array(v.object({ step: whole, field: short, from: real, to: real })), v.maxLength(10_000)),
  rows: doubles,
  clock: doubles,
  evaluations: v.pipe(v.array(v.object({ step: whole, loss: real, accuracy: real, count: whole })), v.maxLength(1_000_000)),
  plans: v.pipe(v.array(v.pipe(v.array(plan), v.maxLength(10_000))), v.maxLength(10_000)),
  frames: v.object({ step: v.array(whole), plan: v.array(whole), scalars: doubles, sigma: singles }),
  curves: v.object({ fraction: v.exactOptional(curve('fraction')), energy: v.exactOptional(curve('energy')) }),
});

const planOf = (m: MatrixSpectrum): MatrixPlan => {
  const { sigma: _, ...rest } = m;
  for (const name of SCALARS) delete (rest as Partial<MatrixSpectrum>)[name];
  return rest;
};

function packFrames(frames: readonly SpectraFrame[]) {
  const plans: MatrixPlan[][] = [];
  const known = new Map<string, number>();
  const index = frames.map(({ matrices }) => {
    const list = matrices.map(planOf);
    const key = JSON.stringify(list);
    if (!known.has(key)) known.set(key, plans.push(list) - 1);
    return known.get(key)!;
  });
  const matrices = frames.flatMap((frame) => frame.matrices);
  const sigma = new Float32Array(matrices.reduce((sum, m) => sum + m.sigma.length, 0));
  let at = 0;
  for (const m of matrices) {
    sigma.set(m.sigma, at);
    at += m.sigma.length;
  }
  const scalars = Float64Array.from(matrices.flatMap((m) => SCALARS.map((name) => m[name])));
  return { plans, frames: { step: frames.map(({ step }) => step), plan: index, scalars: f64(scalars), sigma: f32(sigma) } };
}

/** A run as the text of a file: JSON, with arrays of numbers as base64 of little-endian floats. Reading it gives the same run. */
export function encodeRun(run: RunRecord): string {
  const { rows, clock, frames, ...rest } = run;
  return JSON.stringify({ format: FORMAT, version: VERSION, ...rest, rows: f64(rows), clock: f64(clock), ...packFrames(frames) });
}

/**
 * The run in a file's text; nothing of it is kept when any of it is wrong.
 * @throws RunFileError naming what is wrong and what was expected
 */
export function decodeRun(text: string): RunRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new RunFileError(`This is no run file: it is no JSON (${error instanceof Error ? error.message : String(error)}).`);
  }
  const head = (json ?? {}) as { format?: unknown; version?: unknown };
  if (head.format !== FORMAT) throw new RunFileError(`This is no run file: its "format" must be "${FORMAT}".`);
  if (typeof head.version === 'number' && head.version > VERSION)
    throw new RunFileError(
      `This run file is of version ${head.version}; this page reads versions up to ${VERSION}. Reload the page for a newer one.`,
    );
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (!result.success) {
    const { path, message, received } = result.issues[0];
    throw new RunFileError(
      `The run file is damaged at ${(path ?? []).map(({ key }) => String(key)).join('.') || 'its start'}: ${received === 'undefined' ? 'it is missing' : message}.`,
    );
  }
  const { format: _, version: __, plans, frames, experiment, curves, ...rest } = result.output;
  checkColumns(rest);
  return {
    ...rest,
    experiment: experimentOf(experiment),
    frames: unpackFrames(plans, frames),
    curves: curves,
  };
}

function experimentOf(value: unknown): Experiment {
  try {
    return parseExperiment(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new RunFileError(`The run file's experiment cannot be used: ${error.message}`);
  }
}

const wrong = (what: string): RunFileError => new RunFileError(`The run file is damaged: ${what}.`);

function checkColumns({ rows, clock, step, evaluations }: Pick<RunRecord, 'rows' | 'clock' | 'step' | 'evaluations'>): void {
  if (rows.length % RECORD_WIDTH !== 0 || rows.length / RECORD_WIDTH > step)
    throw wrong(`it has ${rows.length / RECORD_WIDTH} rows for ${step} steps of ${RECORD_WIDTH} values`);
  if (clock.length % 2 !== 0) throw wrong('its clock is no list of pairs');
  for (let i = 2; i < clock.length; i += 2) if (!(clock[i]! > clock[i - 2]!)) throw wrong('its clock does not ascend');
  if (evaluations.some((e, i) => i > 0 && e.step < evaluations[i - 1]!.step)) throw wrong('its validations do not ascend');
}

interface PackedFrames {
  readonly step: number[];
  readonly plan: number[];
  readonly scalars: Float64Array;
  readonly sigma: Float32Array;
}

function unpackFrames(plans: readonly MatrixPlan[][], { step, plan: index, scalars, sigma }: PackedFrames): SpectraFrame[] {
  if (step.length !== index.length) throw wrong(`${step.length} spectra have ${index.length} plans`);
  let s = 0;
  let at = 0;
  const frames = step.map((number, i): SpectraFrame => {
    const list = plans[index[i]!];
    if (!list) throw wrong(`there is no plan ${index[i]}`);
    if (i > 0 && number <= step[i - 1]!) throw wrong('its spectra do not ascend');
    const matrices = list.map((matrix): MatrixSpectrum => {
      const count = Math.min(matrix.rows, matrix.cols);
      if (at + count > sigma.length || s + SCALARS.length > scalars.length) throw wrong('it ends within a spectrum');
      const figures = Object.fromEntries(SCALARS.map((name, k) => [name, scalars[s + k]!])) as Pick<
        MatrixSpectrum,
        (typeof SCALARS)[number]
      >;
      const out = { ...matrix, ...figures, sigma: sigma.slice(at, at + count) };
      at += count;
      s += SCALARS.length;
      return out;
    });
    return { step: number, matrices };
  });
  if (at !== sigma.length || s !== scalars.length) throw wrong('it has more singular values than its matrices');
  return frames;
}
