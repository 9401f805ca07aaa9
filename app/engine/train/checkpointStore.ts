import type { CheckpointInfo } from '../../protocol/checkpoint';
import { folder, readFile, removeFile, writeFile } from '../data/storage';
import { reasonOf } from '../data/types';
import { describe } from './checkpoint';
import { headerLength, metadataOf, parseHeader } from './safetensors';

export type Kind = 'latest' | 'best';

const FOLDER = 'runs';
/** Runs kept besides those that are open, and bytes of all of them. */
const KEEP_RUNS = 6;
const KEEP_BYTES = 2e9;
/** Largest header that is looked at for the list. */
const LISTED_HEADER = 32 << 20;
/** Milliseconds to wait for a run that a closing tab, or a worker that just ended, still holds. */
const LOCK_PATIENCE = 3000;

/** run.kind.number.safetensors: the highest number is the newest; one that ends in .part was not finished. */
const NAME = /^([a-z0-9-]+)\.(latest|best)\.(\d+)\.safetensors$/;
const lockOf = (run: string): string => `q3r-run-${run}`;

interface StoredFile {
  readonly name: string;
  readonly run: string;
  readonly kind: Kind;
  readonly number: number;
}

/** The part of FileSystemFileHandle that the DOM types do not know yet. */
interface Movable {
  move?: (name: string) => Promise<void>;
}

/** A name for a new run, different in every tab. */
export const newRunKey = (): string => `${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}-${crypto.randomUUID().slice(0, 8)}`;

/** A run is open in another tab. */
export class RunOpenError extends Error {
  override name = 'RunOpenError';
  constructor() {
    super('This run is open in another tab of this browser. Close it there first.');
  }
}

/**
 * The runs that the browser keeps, in its private file system. A run belongs to the tab that holds its Web Lock: only that one
 * writes it, and a lock ends with its tab, however that ends. A file is written under another name and renamed when it is whole;
 * the one before it is removed after that.
 */
export class CheckpointStore {
  private readonly held = new Map<string, () => void>();

  /** Claims a run for this worker. @throws RunOpenError when another tab has it */
  async open(run: string): Promise<void> {
    if (this.held.has(run) || !navigator.locks) return;
    const signal = AbortSignal.timeout(LOCK_PATIENCE);
    await new Promise<void>((claimed, refused) => {
      navigator.locks
        .request(lockOf(run), { signal }, () => {
          claimed();
          return new Promise<void>((release) => this.held.set(run, release));
        })
        .catch((error: unknown) => refused(signal.aborted ? new RunOpenError() : new Error(reasonOf(error))));
    });
  }

  close(run: string): void {
    this.held.get(run)?.();
    this.held.delete(run);
  }

  /** Stores a state of an open run in place of the last of its kind. @throws DOMException: QuotaExceededError without room */
  async write(run: string, kind: Kind, pieces: readonly Uint8Array<ArrayBuffer>[], breathe: () => Promise<void>): Promise<void> {
    const dir = await folder(FOLDER);
    const before = (await filesIn(dir)).filter((file) => file.run === run && file.kind === kind);
    const number = 1 + Math.max(0, ...before.map((file) => file.number));
    const name = `${run}.${kind}.${number}.safetensors`;
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    await this.prune(dir, bytes);
    try {
      await put(dir, name, pieces, breathe);
    } catch (error) {
      if (!isQuota(error) || !(await this.dropOldest(dir))) throw error;
      await put(dir, name, pieces, breathe);
    }
    for (const old of before) await removeFile(dir, old.name);
  }

  /** Newest first; what is not whole, or of another version, is left out. Empty where the browser keeps nothing. */
  async list(): Promise<CheckpointInfo[]> {
    let dir: FileSystemDirectoryHandle;
    try {
      dir = await folder(FOLDER);
    } catch {
      return [];
    }
    const open = await this.openElsewhere();
    const files = await filesIn(dir);
    const keys = new Set(files.map(({ run, kind }) => keyOf(run, kind)));
    const infos = await Promise.all(Array.from(keys, async (key) => (await newest(dir, files, key))?.info));
    return infos
      .filter((info) => info !== undefined)
      .map((info) => ({ ...info, open: open.has(info.run) }))
      .sort((a, b) => b.date - a.date);
  }

  async info(key: string): Promise<CheckpointInfo | undefined> {
    const dir = await folder(FOLDER);
    return (await newest(dir, await filesIn(dir), key))?.info;
  }

  /** The bytes of a kept state. @throws Error when there is none under this key */
  async read(key: string): Promise<Uint8Array<ArrayBuffer>> {
    const dir = await folder(FOLDER).catch(() => undefined);
    const blob = dir && (await newest(dir, await filesIn(dir), key))?.blob;
    if (!blob) throw new Error('This run is not kept any more.');
    return new Uint8Array(await blob.arrayBuffer());
  }

  /** Removes a kept state; with the latest goes the best as well. @throws RunOpenError */
  async remove(key: string): Promise<void> {
    const { run, kind } = splitKey(key);
    if (!this.held.has(run) && (await this.openElsewhere()).has(run)) throw new RunOpenError();
    const dir = await folder(FOLDER);
    for (const file of await filesIn(dir))
      if (file.run === run && (kind === 'latest' || file.kind === kind)) await removeFile(dir, file.name);
  }

  /** Runs that other tabs hold. */
  private async openElsewhere(): Promise<Set<string>> {
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const prefix = lockOf('');
    return new Set(
      held
        .map(({ name = '' }) => (name.startsWith(prefix) ? name.slice(prefix.length) : ''))
        .filter((run) => run !== '' && !this.held.has(run)),
    );
  }

  /** Makes room for `bytes` more: drops the oldest runs beyond the limits, and files that were never finished. */
  private async prune(dir: FileSystemDirectoryHandle, bytes: number): Promise<void> {
    const elsewhere = await this.openElsewhere();
    for await (const name of dir.keys()) {
      const run = name.split('.')[0] ?? '';
      if (name.endsWith('.part') && !elsewhere.has(run) && !this.held.has(run)) await removeFile(dir, name);
    }
    for (;;) {
      const closed = await this.closedRuns(dir, elsewhere);
      const total = bytes + closed.reduce((sum, run) => sum + run.bytes, 0);
      if (closed.length <= KEEP_RUNS && (total <= KEEP_BYTES || closed.length === 0)) return;
      await this.removeRun(dir, closed[0]!.run);
    }
  }

  private async dropOldest(dir: FileSystemDirectoryHandle): Promise<boolean> {
    const [oldest] = await this.closedRuns(dir, await this.openElsewhere());
    if (oldest) await this.removeRun(dir, oldest.run);
    return oldest !== undefined;
  }

  private async removeRun(dir: FileSystemDirectoryHandle, run: string): Promise<void> {
    for (const file of await filesIn(dir)) if (file.run === run) await removeFile(dir, file.name);
  }

  /** Runs that no tab has open, the one written longest ago first. */
  private async closedRuns(
    dir: FileSystemDirectoryHandle,
    elsewhere: ReadonlySet<string>,
  ): Promise<{ run: string; bytes: number; written: number }[]> {
    const runs = new Map<string, { run: string; bytes: number; written: number }>();
    for (const { name, run } of await filesIn(dir)) {
      if (elsewhere.has(run) || this.held.has(run)) continue;
      const file = await readFile(dir, name);
      const known = runs.get(run) ?? { run, bytes: 0, written: 0 };
      runs.set(run, {
        run,
        bytes: known.bytes + (file?.size ?? 0),
        written: Math.max(known.written, file?.lastModified ?? 0),
      });
    }
    return [...runs.values()].sort((a, b) => a.written - b.written || a.run.localeCompare(b.run));
  }
}

export const isQuota = (error: unknown): boolean => error instanceof DOMException && error.name === 'QuotaExceededError';

/** `run` for the latest state of a run, `run:best` for its best. */
export const keyOf = (run: string, kind: Kind): string => (kind === 'latest' ? run : `${run}:best`);
function splitKey(key: string): { run: string; kind: Kind } {
  const [run = '', kind] = key.split(':');
  return { run, kind: kind === 'best' ? 'best' : 'latest' };
}

/** Written beside, then renamed. A browser that cannot rename writes in place: the file before it is still there until then. */
async function put(
  dir: FileSystemDirectoryHandle,
  name: string,
  pieces: readonly Uint8Array<ArrayBuffer>[],
  breathe: () => Promise<void>,
): Promise<void> {
  const part = `${name}.part`;
  await writeFile(dir, part, pieces, breathe);
  try {
    const handle = (await dir.getFileHandle(part)) as FileSystemFileHandle & Movable;
    if (!handle.move) throw new DOMException('This browser cannot rename a file.', 'NotSupportedError');
    await handle.move(name);
  } catch (error) {
    await removeFile(dir, part);
    if (isQuota(error)) throw error;
    await writeFile(dir, name, pieces, breathe);
  }
}

async function filesIn(dir: FileSystemDirectoryHandle): Promise<StoredFile[]> {
  const out: StoredFile[] = [];
  for await (const name of dir.keys()) {
    const [, run, kind, number] = NAME.exec(name) ?? [];
    if (run) out.push({ name, run, kind: kind as Kind, number: Number(number) });
  }
  return out;
}

/** The newest file under a key that is whole. */
async function newest(
  dir: FileSystemDirectoryHandle,
  files: readonly StoredFile[],
  key: string,
): Promise<{ info: CheckpointInfo; blob: File } | undefined> {
  const own = files.filter(({ run, kind }) => keyOf(run, kind) === key).sort((a, b) => b.number - a.number);
  for (const file of own) {
    const blob = await readFile(dir, file.name);
    const info = blob && (await infoOf(blob, file));
    if (info) return { info, blob };
  }
  return undefined;
}

/** What the header says; undefined when the file is not whole, or not one that this page reads. */
async function infoOf(file: File, { run, kind }: StoredFile): Promise<CheckpointInfo | undefined> {
  try {
    const length = headerLength(new Uint8Array(await file.slice(0, 8).arrayBuffer()), file.size);
    if (length > LISTED_HEADER) return undefined;
    const header = parseHeader(new Uint8Array(await file.slice(8, 8 + length).arrayBuffer()));
    const tensors = Object.values(header as Record<string, { data_offsets?: readonly [number, number] } | null>);
    const end = tensors.reduce((last, tensor) => Math.max(last, tensor?.data_offsets?.[1] ?? 0), 0);
    if (file.size !== 8 + length + end) return undefined;
    const { experiment, description } = describe(metadataOf(header));
    const { step, accuracy, loss, date } = description;
    return { key: keyOf(run, kind), run, kind, experiment, step, accuracy, loss, date, bytes: file.size, open: false };
  } catch {
    return undefined;
  }
}
