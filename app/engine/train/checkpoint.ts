import { defaultExperiment, patchExperiment, type DeepPartial, type Experiment } from '../../protocol/experiment';
import type { Mark } from '../../protocol/messages';
import { wordSum } from '../data/formats/checksums';
import type { ArenaTable } from '../factorization/layout';
import { RECORD_WIDTH } from '../../protocol/run/record';
import type { Evaluation } from './history';
import { readPlain, requireLike, writePlain } from './plainData';
import {
  TensorFileError,
  doublesOf,
  openSafetensors,
  safetensorsPieces,
  type StoredTensor,
  type TensorFile,
  type TensorToWrite,
} from './safetensors';
import type { Snapshot } from './snapshot';

/** Version of the format below; a file of another one is refused. */
export const CHECKPOINT_VERSION = 1;

/** Keys of the metadata. `q3r.experiment` is also in exported weights. */
export const CHECKPOINT_KEY = 'q3r.checkpoint';
export const EXPERIMENT_KEY = 'q3r.experiment';
export const STATE_KEY = 'q3r.state';
const CHECKSUM_KEY = 'q3r.checksum';

/** The data that a run was trained on, as far as a later visit can tell whether it has the same. */
export interface DataMark {
  readonly name: string;
  readonly train: number;
  readonly test: number;
  readonly checksum: number;
}

/** What is said of a run beside its tensors. */
export interface CheckpointDescription {
  readonly version: number;
  readonly step: number;
  readonly elapsedMs: number;
  readonly marks: readonly Mark[];
  /** Null where the run had batches given by hand only. */
  readonly data: DataMark | null;
  /** Name of the device, and what decides which kernels run on it: another one may differ in the last bits. */
  readonly device: string;
  readonly tuning: string;
  /** Version of the page. */
  readonly page: string;
  /** Milliseconds since 1970. */
  readonly date: number;
  readonly accuracy: number | null;
  readonly loss: number | null;
}

/** A run at one step: all that is needed to continue it bitwise, and to draw what led there. */
export interface Checkpoint {
  readonly experiment: Experiment;
  readonly description: CheckpointDescription;
  /** Rows of `History.packed`. */
  readonly records: Float64Array;
  readonly evaluations: readonly Evaluation[];
}

/** Name and bytes of the state views of a run. */
export type StateLayout = readonly { readonly name: string; readonly size: number }[];

/** How the arenas of a run are laid out: what is trained, and the weights that the model reads, which are the same without factors. */
export interface RunTables {
  readonly trained: ArenaTable;
  readonly weights: ArenaTable;
}

/** Views in the layout of the weights, whatever is trained; of these and of what is trained, the first that is there has bare names. */
const WEIGHT_VIEWS = ['weights', 'ema'];
const BARE = ['weights', 'parameters'];

interface Place {
  readonly name: string;
  readonly size: number;
  /** The arena's layout and what its tensors' names begin with; absent for views that are kept as bytes. */
  readonly arena?: { readonly prefix: string; readonly table: ArenaTable };
}

/** How the views of a run lie in the file: arenas tensor by tensor, all others as bytes. */
function placesOf(layout: StateLayout, tables: RunTables): Place[] {
  const bare = BARE.find((name) => layout.some((view) => view.name === name));
  return layout.map(({ name, size }) => {
    const table = WEIGHT_VIEWS.includes(name) ? tables.weights : tables.trained;
    return size === table.total * 4 ? { name, size, arena: { prefix: name === bare ? '' : `${name}.`, table } } : { name, size };
  });
}

/** Elements of the arena that belong to no parameter. */
function* gapsOf(table: ArenaTable): Generator<readonly [number, number]> {
  let end = 0;
  for (const { offset, length } of [...table.entries].sort((a, b) => a.offset - b.offset)) {
    if (offset > end) yield [end, offset];
    end = offset + length;
  }
  if (table.total > end) yield [end, table.total];
}
const gapLength = (table: ArenaTable): number => [...gapsOf(table)].reduce((sum, [from, to]) => sum + to - from, 0);

/**
 * The file in pieces, the large ones views on the snapshot. Weights have timm's names, moments the same behind `adam.m.` and
 * `adam.v.`; what the padding of an arena holds is kept as well. `breathe` is awaited between pieces while the checksum is made.
 */
export async function checkpointPieces(
  { experiment, description, records, evaluations }: Checkpoint,
  snapshot: Snapshot,
  layout: StateLayout,
  tables: RunTables,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<Uint8Array<ArrayBuffer>[]> {
  const tensors = new Map<string, TensorToWrite>();
  const add = (name: string, shape: readonly number[], data: TensorToWrite['data']): void => {
    if (tensors.has(name)) throw new Error(`two parts of the run are named ${name}`);
    tensors.set(name, { shape, data });
  };
  add('history.records', [records.length / RECORD_WIDTH, RECORD_WIDTH], records);
  const rows = Float64Array.from(evaluations.flatMap(({ step, loss, accuracy }) => [step, loss, accuracy]));
  add('history.evaluations', [evaluations.length, 3], rows);
  placesOf(layout, tables).forEach(({ name, arena: place }, i) => {
    const part = snapshot.parts[i]!;
    if (!place) return add(`state.${name}`, [part.byteLength], new Uint8Array(part));
    const { prefix, table } = place;
    const arena = new Float32Array(part);
    for (const e of table.entries) add(prefix + e.name, e.shape, arena.subarray(e.offset, e.offset + e.length));
    const padding = new Float32Array(gapLength(table));
    let at = 0;
    for (const [from, to] of gapsOf(table)) {
      padding.set(arena.subarray(from, to), at);
      at += to - from;
    }
    if (padding.length > 0) add(`padding.${name}`, [padding.length], padding);
  });
  const metadata = {
    format: 'pt',
    [EXPERIMENT_KEY]: JSON.stringify(experiment),
    [CHECKPOINT_KEY]: writePlain(description),
    [STATE_KEY]: writePlain(snapshot.regularizer),
  };
  const data = safetensorsPieces(tensors).slice(1);
  let sum = textSum(metadata);
  for (const piece of data) {
    for (let from = 0; from < piece.length; from += PIECE) {
      sum = wordSum(piece.subarray(from, from + PIECE), sum);
      await breathe();
    }
  }
  return safetensorsPieces(tensors, { ...metadata, [CHECKSUM_KEY]: sum.toString(16) });
}
const PIECE = 4 << 20;

/** Checksum of the texts a checkpoint relies on, with which that of its data begins. */
const textSum = (metadata: Readonly<Record<string, string | undefined>>): number =>
  wordSum(new TextEncoder().encode([EXPERIMENT_KEY, CHECKPOINT_KEY, STATE_KEY].map((key) => metadata[key] ?? '').join('\n')));

/** True for a file that says it is a checkpoint. */
export const isCheckpoint = ({ metadata }: TensorFile): boolean => metadata.has(CHECKPOINT_KEY);

const count = (value: unknown, max = 1e9): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
const orNull = (value: unknown): value is number | null => value === null || typeof value === 'number';

/** The description and experiment of a checkpoint's metadata. @throws TensorFileError, ConfigError */
export function describe(metadata: ReadonlyMap<string, string>): Pick<Checkpoint, 'experiment' | 'description'> {
  const text = metadata.get(CHECKPOINT_KEY);
  if (text === undefined) throw new TensorFileError('The file holds weights, and no state of a run: it is not a checkpoint.');
  const found = parsed(text, 'description') as Partial<CheckpointDescription> | null;
  if (found?.version !== CHECKPOINT_VERSION)
    throw new TensorFileError(
      typeof found?.version === 'number'
        ? `The checkpoint is of format version ${found.version}; this page reads version ${CHECKPOINT_VERSION}.`
        : 'The checkpoint does not say its format version.',
    );
  const { step, elapsedMs, marks, data, device, tuning, page, date, accuracy, loss } = found;
  const texts = [device, tuning, page].every((x) => typeof x === 'string');
  const numbers =
    count(step) && typeof elapsedMs === 'number' && elapsedMs >= 0 && typeof date === 'number' && orNull(accuracy) && orNull(loss);
  const ofData =
    data === null ||
    (typeof data === 'object' &&
      typeof data.name === 'string' &&
      count(data.train) &&
      count(data.test) &&
      typeof data.checksum === 'number');
  const ofMarks =
    Array.isArray(marks) &&
    (marks as (Partial<Mark> | null)[]).every(
      (m) => m && count(m.step) && typeof m.field === 'string' && typeof m.from === 'number' && typeof m.to === 'number',
    );
  if (!texts || !numbers || !ofData || !ofMarks) throw new TensorFileError('The description of the checkpoint is not complete.');
  // Settings that came later than the file have their defaults.
  const experiment = patchExperiment(
    defaultExperiment(),
    parsed(metadata.get(EXPERIMENT_KEY) ?? 'null', 'experiment') as DeepPartial<Experiment>,
  );
  return { experiment, description: found as CheckpointDescription };
}

function parsed(text: string, what: string): unknown {
  try {
    return readPlain(text);
  } catch {
    throw new TensorFileError(`The ${what} in the checkpoint is not JSON.`);
  }
}

/** A checkpoint that has been read: `snapshotFor` makes it fit a run. */
export interface ReadCheckpoint extends Checkpoint {
  readonly file: TensorFile;
}

/**
 * Reads a checkpoint and checks all that can be checked without a run. The tensors stay views on `bytes`.
 * @throws TensorFileError, or ConfigError where the experiment cannot be used
 */
export function readCheckpoint(bytes: Uint8Array): ReadCheckpoint {
  const file = openSafetensors(bytes);
  const { experiment, description } = describe(file.metadata);
  const sum = wordSum(file.data, textSum(Object.fromEntries(file.metadata)));
  if (file.metadata.get(CHECKSUM_KEY) !== sum.toString(16))
    throw new TensorFileError('The checkpoint is damaged or was changed: its checksum is another.');
  const { step } = description;
  const records = doublesOf('history.records', required(file.tensors, 'history.records', [step, RECORD_WIDTH]));
  const kept = file.tensors.get('history.evaluations');
  const rows = doublesOf('history.evaluations', required(file.tensors, 'history.evaluations', [kept?.shape[0] ?? 0, 3]));
  const evaluations = Array.from({ length: rows.length / 3 }, (_, i): Evaluation => {
    const [at = 0, loss = NaN, accuracy = NaN] = rows.subarray(3 * i, 3 * i + 3);
    return { step: at, loss, accuracy };
  });
  if (!evaluations.every((e) => count(e.step, step))) throw new TensorFileError('history.evaluations holds a step that was never made.');
  return { experiment, description, records, evaluations, file };
}

function required(tensors: ReadonlyMap<string, StoredTensor>, name: string, shape: readonly number[]): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new TensorFileError(`The checkpoint has no tensor ${name} [${shape.join(', ')}].`);
  if (tensor.shape.join() !== shape.join())
    throw new TensorFileError(`${name} is [${tensor.shape.join(', ')}] in the checkpoint; [${shape.join(', ')}] was expected.`);
  return tensor;
}

/**
 * The checkpoint as a snapshot of a run of its experiment. `like` is that run's own regularizer state, of the form that is expected.
 * @throws TensorFileError naming the tensor that is missing, too many, ill-shaped or not finite, or the part of the state that is
 */
export function snapshotFor({ file, description }: ReadCheckpoint, layout: StateLayout, tables: RunTables, like: unknown): Snapshot {
  const { tensors, metadata } = file;
  const used = new Set(['history.records', 'history.evaluations']);
  const take = (name: string, shape: readonly number[], dtype: string): Uint8Array => {
    const tensor = required(tensors, name, shape);
    if (tensor.dtype !== dtype) throw new TensorFileError(`${name} is of type ${tensor.dtype} in the checkpoint; ${dtype} was expected.`);
    used.add(name);
    return tensor.bytes;
  };
  const floats = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
  const parts = placesOf(layout, tables).map(({ name, size, arena: place }): ArrayBuffer => {
    if (!place) return take(`state.${name}`, [size], 'U8').slice().buffer;
    const { prefix, table } = place;
    const arena = new Float32Array(table.total);
    for (const e of table.entries) {
      const values = floats(take(prefix + e.name, e.shape, 'F32'));
      const bad = prefix === '' ? values.findIndex((x) => !Number.isFinite(x)) : -1;
      if (bad >= 0) throw new TensorFileError(`${e.name} holds ${values[bad]} at ${bad}; only finite weights can be trained on.`);
      arena.set(values, e.offset);
    }
    const gap = gapLength(table);
    if (gap > 0) {
      const padding = floats(take(`padding.${name}`, [gap], 'F32'));
      let at = 0;
      for (const [from, to] of gapsOf(table)) {
        arena.set(padding.subarray(at, at + to - from), from);
        at += to - from;
      }
    }
    return arena.buffer;
  });
  for (const name of tensors.keys())
    if (!used.has(name)) throw new TensorFileError(`The checkpoint holds ${name}, which its experiment does not have here.`);
  const regularizer = parsed(metadata.get(STATE_KEY) ?? 'null', 'state');
  try {
    requireLike(regularizer, like, 'state');
  } catch (error) {
    throw new TensorFileError(`The checkpoint's regularizer does not fit its experiment: ${(error as Error).message}`);
  }
  return { step: description.step, parts, regularizer, finite: true };
}
