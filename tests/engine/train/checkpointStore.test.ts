import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CheckpointStore, RunOpenError, isQuota, newRunKey } from '../../../app/engine/train/checkpointStore';
import { CHECKPOINT_KEY, EXPERIMENT_KEY } from '../../../app/engine/train/checkpoint';
import { safetensorsPieces } from '../../../app/engine/train/safetensors';
import { defaultExperiment } from '../../../app/protocol/experiment';
import { clearStorage } from '../data/fixtures';

beforeEach(clearStorage);
afterEach(async () => {
  vi.restoreAllMocks();
  for (const store of stores.splice(0)) for (const run of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) store.close(run);
  await clearStorage();
});

const stores: CheckpointStore[] = [];
const open = (): CheckpointStore => {
  const store = new CheckpointStore();
  stores.push(store);
  return store;
};
const breathe = () => Promise.resolve();

/** A file that the list can read; the tensors are whatever. */
function pieces(step: number, date: number, size = 1000): Uint8Array<ArrayBuffer>[] {
  const description = {
    version: 1,
    step,
    elapsedMs: 1,
    marks: [],
    data: null,
    device: '',
    tuning: '',
    page: '',
    date,
    accuracy: null,
    loss: 1,
  };
  return safetensorsPieces(new Map([['w', { shape: [size], data: new Uint8Array(size).fill(step) }]]), {
    [EXPERIMENT_KEY]: JSON.stringify(defaultExperiment()),
    [CHECKPOINT_KEY]: JSON.stringify(description),
  });
}
const runs = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('q3r-data').then((d) => d.getDirectoryHandle('runs'));
async function names(): Promise<string[]> {
  const out: string[] = [];
  for await (const name of (await runs()).keys()) out.push(name);
  return out.sort();
}
async function put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const stream = await (await (await runs()).getFileHandle(name, { create: true })).createWritable();
  await stream.write(bytes);
  await stream.close();
}
const steps = async (store: CheckpointStore) => (await store.list()).map(({ key, step }) => [key, step]);

test('a newer state takes the place of the older, best and latest apart', async () => {
  const store = open();
  await store.open('a');
  await store.write('a', 'latest', pieces(1, 10), breathe);
  await store.write('a', 'best', pieces(1, 11), breathe);
  await store.write('a', 'latest', pieces(2, 12), breathe);
  expect(await steps(store)).toEqual([
    ['a', 2],
    ['a:best', 1],
  ]);
  expect(await names()).toEqual(['a.best.1.safetensors', 'a.latest.2.safetensors']);
  expect((await store.read('a')).at(-1)).toBe(2);
  expect((await store.read('a:best')).at(-1)).toBe(1);
  await store.remove('a:best');
  expect(await steps(store)).toEqual([['a', 2]]);
  await store.remove('a');
  expect(await names()).toEqual([]);
  await expect(store.read('a')).rejects.toThrow('This run is not kept any more.');
});

test('a torn file is never taken for a state: the one before it is', async () => {
  const store = open();
  await store.write('a', 'latest', pieces(1, 10), breathe);
  const whole = new Uint8Array(await new Blob(pieces(2, 11)).arrayBuffer());
  await put('a.latest.2.safetensors', whole.slice(0, -1));
  await put('a.latest.3.safetensors', new Uint8Array(5));
  await put('a.latest.4.safetensors.part', whole);
  expect(await steps(store)).toEqual([['a', 1]]);
  expect((await store.read('a')).at(-1)).toBe(1);
  // The next write clears up.
  await store.write('a', 'latest', pieces(5, 12), breathe);
  expect(await names()).toEqual(['a.latest.4.safetensors']);
  expect(await steps(store)).toEqual([['a', 5]]);
});

test('a write that fails half-way leaves what was there', async () => {
  const store = open();
  await store.write('a', 'latest', pieces(1, 10), breathe);
  let calls = 0;
  const stop = () => (++calls > 1 ? Promise.reject(new Error('stopped')) : Promise.resolve());
  await expect(store.write('a', 'latest', pieces(2, 11), stop)).rejects.toThrow('stopped');
  expect(await steps(store)).toEqual([['a', 1]]);
  expect(await names()).toEqual(['a.latest.1.safetensors']);
});

test('a run that another tab has open is neither resumed nor removed, and is shown as open', async () => {
  const [mine, theirs] = [open(), open()];
  await theirs.open('a');
  await theirs.write('a', 'latest', pieces(1, 10), breathe);
  expect(await mine.list()).toMatchObject([{ key: 'a', open: true }]);
  expect(await theirs.list()).toMatchObject([{ key: 'a', open: false }]);
  await expect(mine.remove('a')).rejects.toThrow(RunOpenError);
  const waiting = mine.open('a');
  theirs.close('a');
  await waiting;
  await expect(theirs.remove('a')).rejects.toThrow(/open in another tab/);
  await mine.remove('a');
  expect(await mine.list()).toEqual([]);
});

test('the oldest runs make room, those that are open stay', async () => {
  const [mine, theirs] = [open(), open()];
  await theirs.open('a');
  for (const run of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    await mine.write(run, 'latest', pieces(1, run.charCodeAt(0)), breathe);
    // The file system tells times to the millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await mine.open('h');
  for (const step of [1, 2]) await mine.write('h', 'latest', pieces(step, 200), breathe);
  expect((await mine.list()).map(({ key }) => key)).toEqual(['h', 'g', 'f', 'e', 'd', 'c', 'b', 'a']);
  mine.close('h');
  await mine.open('i');
  await mine.write('i', 'latest', pieces(1, 300), breathe);
  expect((await mine.list()).map(({ key }) => key)).toEqual(['i', 'h', 'g', 'f', 'e', 'd', 'c', 'a']);
  mine.close('i');
});

test('without room the oldest closed run goes; without one the error says that there is no room', async () => {
  const store = open();
  await store.open('b');
  await store.write('a', 'latest', pieces(1, 10), breathe);
  const write = FileSystemWritableFileStream.prototype.write;
  let refusals = 1;
  vi.spyOn(FileSystemWritableFileStream.prototype, 'write').mockImplementation(function (this: FileSystemWritableFileStream, data) {
    if (refusals-- > 0) return Promise.reject(new DOMException('full', 'QuotaExceededError'));
    return write.call(this, data);
  });
  await store.write('b', 'latest', pieces(1, 11), breathe);
  expect(await steps(store)).toEqual([['b', 1]]);
  refusals = Infinity;
  const error: unknown = await store.write('b', 'latest', pieces(2, 12), breathe).catch((reason: unknown) => reason);
  expect(isQuota(error)).toBe(true);
  expect(await steps(store)).toEqual([['b', 1]]);
});

test('names of runs differ and are such as files may have', () => {
  const keys = Array.from({ length: 50 }, newRunKey);
  expect(new Set(keys).size).toBe(50);
  for (const key of keys) expect(key).toMatch(/^\d{14}-[0-9a-f]{8}$/);
});
