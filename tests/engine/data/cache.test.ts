import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DATASET_CONFIGS, forget, type LoadedDataset, type NamedBlob } from '../../../app/engine/data';
import { loadPublished, loadPublishedFiles } from '../../../app/engine/data/readers';
import { wordSum } from '../../../app/engine/data/formats/checksums';
import { clearStorage, concat, drawnBatches, failure, looseFiles, quiet, splitOfRecords } from './fixtures';

beforeEach(clearStorage);
afterEach(async () => {
  vi.restoreAllMocks();
  await clearStorage();
});

const b = drawnBatches(12);
const pixels = splitOfRecords(concat(...b.train)).images;
const nowhere = { ...quiet(), baseUrl: '/stream-test/nowhere/', hubBase: 'http://127.0.0.1:9/' };
const store = () => loadPublishedFiles('cifar10', looseFiles(b), quiet());
const sameImages = (data: LoadedDataset) => expect(wordSum(data.train.images)).toBe(wordSum(pixels));

async function cacheFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle('q3r-data')).getDirectoryHandle('cifar10');
}
const listed = async () => {
  const names: string[] = [];
  for await (const name of (await cacheFolder()).keys()) names.push(name);
  return names.sort();
};
async function overwrite(name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): Promise<void> {
  const handle = await (await cacheFolder()).getFileHandle(name);
  const bytes = change(new Uint8Array(await (await handle.getFile()).arrayBuffer()));
  const out = await handle.createWritable();
  await out.write(bytes);
  await out.close();
}

test('what was loaded once is found again, until it is removed', async () => {
  expect(await store()).toMatchObject({ origin: 'files', cached: true });
  const again = await loadPublished('cifar10', nowhere);
  expect(again).toMatchObject({ origin: 'cache', cached: true, bytes: 72 * 3073, notices: [{ kind: 'incomplete' }] });
  sameImages(again);
  expect(again.test.labels).toEqual(splitOfRecords(b.test).labels);
  await forget('cifar10');
  await forget('cifar10');
  expect((await failure(loadPublished('cifar10', nowhere))).kind).toBe('network');
});

test('in a worker, with synchronous handles', async () => {
  const worker = new Worker(new URL('./cacheWorker.ts', import.meta.url), { type: 'module' });
  const ask = (files?: NamedBlob[]) =>
    new Promise((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ files, baseUrl: new URL('/stream-test/nowhere/', location.href).href });
    });
  try {
    const wanted = { cached: true, counts: [60, 12], sum: wordSum(pixels), notices: [{ kind: 'incomplete' }] };
    expect(await ask(looseFiles(b))).toMatchObject({ origin: 'files', ...wanted });
    expect(await ask()).toMatchObject({ origin: 'cache', ...wanted });
  } finally {
    worker.terminate();
  }
  sameImages(await loadPublished('cifar10', nowhere));
});

test('a damaged cache is thrown away, whichever part is damaged', async () => {
  const flip = (at: number) => (bytes: Uint8Array<ArrayBuffer>) => {
    bytes[at < 0 ? bytes.length + at : at] = 0xee;
    return bytes;
  };
  const text = (s: string) => () => new TextEncoder().encode(s);
  const damages: [string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>][] = [
    ['train.bin', flip(0)],
    ['train.bin', flip(-1)],
    ['test.bin', flip(5000)],
    ['test.bin', (bytes) => bytes.slice(0, -1)],
    ['train.bin', () => new Uint8Array(0)],
    ['meta.json', text('{}')],
    ['meta.json', text('{"version":1,"train":{"count":1e9,"sum":0},"test":{"count":1e9,"sum":0}}')],
    ['meta.json', text('not JSON')],
    ['meta.json', (bytes) => new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"version":1', '"version":2'))],
  ];
  for (const [name, change] of damages) {
    await store();
    await overwrite(name, change);
    expect((await failure(loadPublished('cifar10', nowhere))).kind, name).toBe('network');
    expect(await listed()).toEqual([]);
  }
  await store();
  await (await cacheFolder()).removeEntry('test.bin');
  expect((await failure(loadPublished('cifar10', nowhere))).kind).toBe('network');
  await store();
  sameImages(await loadPublished('cifar10', nowhere));
});

/** The browser's storage, refusing after so many bytes. */
function limitStorage(bytes: number): void {
  let left = bytes;
  const write = FileSystemWritableFileStream.prototype.write;
  vi.spyOn(FileSystemWritableFileStream.prototype, 'write').mockImplementation(function (this: FileSystemWritableFileStream, data) {
    left -= (data as Uint8Array).byteLength;
    if (left < 0) return Promise.reject(new DOMException('The quota has been exceeded.', 'QuotaExceededError'));
    return write.call(this, data);
  });
}

test('without room the data set is used all the same, and says so', async () => {
  for (const room of [0, 1000, 60 * 3073 + 10, 72 * 3073]) {
    limitStorage(room);
    const data = await store();
    expect(data).toMatchObject({ origin: 'files', cached: false });
    sameImages(data);
    const notice = data.notices.find((n) => n.kind === 'quota');
    expect(notice?.text).toMatch(/no room to keep CIFAR-10.*in use now.*Free some disk space/);
    vi.restoreAllMocks();
    expect(await listed(), 'no half cache').toEqual([]);
  }
});

test('a full disk during a refresh does not bring the old data set back as if it were the new one', async () => {
  await store();
  limitStorage(1000);
  expect((await store()).cached).toBe(false);
  vi.restoreAllMocks();
  expect((await failure(loadPublished('cifar10', nowhere))).kind).toBe('network');
});

test('a browser without storage loads too', async () => {
  for (const error of [new DOMException('denied', 'SecurityError'), new TypeError('no')]) {
    vi.spyOn(navigator.storage, 'getDirectory').mockRejectedValue(error);
    const data = await store();
    expect(data).toMatchObject({ cached: false, origin: 'files' });
    expect(data.notices.map((n) => n.kind)).toEqual(['incomplete', 'storage']);
    vi.restoreAllMocks();
  }
});

test('a cancel while storing leaves no half cache', async () => {
  const controller = new AbortController();
  const load = loadPublishedFiles('cifar10', looseFiles(b), {
    signal: controller.signal,
    onProgress: (p) => {
      if (p.stage.startsWith('Storing')) controller.abort();
    },
  });
  expect((await failure(load)).kind).toBe('cancelled');
  expect(await listed()).toEqual([]);
});

test('the page knows every data set before it is loaded', () => {
  for (const [name, config] of Object.entries(DATASET_CONFIGS)) {
    expect(config.name).toBe(name);
    expect(config.classes).toHaveLength({ cifar100: 100, folder: 0 }[name] ?? 10);
    expect(new Set(config.classes).size).toBe(config.classes.length);
    expect(config.mean).toHaveLength(config.channels);
    expect(config.std.every((s) => s > 0)).toBe(true);
  }
});
