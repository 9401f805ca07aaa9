import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PublishedOptions, type LoadedDataset } from '../../../app/engine/data';
import { loadPublished } from '../../../app/engine/data/readers';
import {
  clearStorage,
  concat,
  drawnBatches,
  failure,
  hasReal,
  parquetOf,
  quiet,
  realFile,
  requests,
  rowsOf,
  serve,
  sha256,
  splitOfRecords,
  type Bytes,
} from './fixtures';

beforeEach(clearStorage);
afterEach(clearStorage);

const b = drawnBatches(20);
const train = concat(...b.train);
let cases = 0;
/** A fresh name on the test server, so that tests never see each other's files. */
const fresh = () => `case${Date.now()}-${cases++}`;

const entry = async (file: string, bytes: Bytes) => ({
  file,
  bytes: bytes.length,
  sha256: await sha256(bytes),
  count: bytes.length / 3073,
});
async function site(name: string, o: { index?: object; train?: object; test?: object } = {}): Promise<void> {
  const index = {
    format: 'q3r-data',
    version: 1,
    name: 'cifar10',
    train: await entry('train.bin', train),
    test: await entry('test.bin', b.test),
  };
  await serve(`${name}/data/cifar10/cifar10.json`, JSON.stringify({ ...index, ...o.index }), { type: 'application/json' });
  await serve(`${name}/data/cifar10/train.bin`, train, o.train);
  await serve(`${name}/data/cifar10/test.bin`, b.test, o.test);
}

const hubRows = { train: parquetOf(rowsOf(train), { rowGroupSize: 40 }), test: parquetOf(rowsOf(b.test)) };
async function hub(
  name: string,
  o: { train?: object; test?: object; rows?: { train: Bytes; test: Bytes }; counts?: [number, number]; sha?: string } = {},
) {
  const rows = o.rows ?? hubRows;
  const origin = await (await fetch('/stream-test/other')).text();
  const describe = async (split: 'train' | 'test', count: number) => {
    await serve(`${name}/${split}.parquet`, rows[split], o[split]);
    return { path: `${split}.parquet`, bytes: rows[split].length, sha256: o.sha ?? (await sha256(rows[split])), count };
  };
  const [n, m] = o.counts ?? [100, 20];
  const hubFiles = { train: await describe('train', n), test: await describe('test', m) };
  return { hubBase: `${origin}/stream-test/${name}/`, hubFiles };
}

const nothing = { hubBase: 'http://127.0.0.1:9/', hubFiles: undefined };
const options = (name: string, more: Partial<PublishedOptions> = {}): PublishedOptions => ({
  ...quiet(),
  baseUrl: `/stream-test/${name}/`,
  hubBase: nothing.hubBase,
  ...more,
});
function holds(data: LoadedDataset, origin: LoadedDataset['origin']): void {
  expect(data.origin).toBe(origin);
  for (const [split, bytes] of [
    ['train', train],
    ['test', b.test],
  ] as const) {
    const wanted = splitOfRecords(bytes);
    expect(data[split].count).toBe(wanted.count);
    expect(data[split].labels).toEqual(wanted.labels);
    expect(data[split].images.findIndex((x, i) => x !== wanted.images[i])).toBe(-1);
  }
}

test('the order is: the browser, this site, the hub', async () => {
  const name = fresh();
  await site(name);
  const first = await loadPublished('cifar10', options(name));
  holds(first, 'site');
  expect(first).toMatchObject({ cached: true, bytes: train.length + b.test.length });
  const asked = (await requests(name)).length;
  const second = await loadPublished('cifar10', options(name));
  holds(second, 'cache');
  expect(second).toMatchObject({ cached: true, notices: [{ kind: 'incomplete' }] });
  expect((await requests(name)).length).toBe(asked);
  holds(await loadPublished('cifar10', options(name, { refresh: true })), 'site');

  await clearStorage();
  const none = fresh();
  const data = await loadPublished('cifar10', options(none, await hub(none)));
  holds(data, 'huggingface');
  expect(data).toMatchObject({ cached: true, notices: [], bytes: hubRows.train.length + hubRows.test.length });
});

test('the hub is asked with one plain GET per file', async () => {
  const name = fresh();
  const o = await hub(name);
  await loadPublished('cifar10', options(fresh(), o));
  const log = (await requests(name)).filter((r) => r.path.endsWith('.parquet'));
  expect(log.map((r) => `${r.method} ${r.path}`)).toEqual([`GET ${name}/train.parquet`, `GET ${name}/test.parquet`]);
  for (const r of log) {
    expect(r.headers).not.toHaveProperty('range');
    expect(r.headers).not.toHaveProperty('cookie');
    // Anything but these would make the browser ask for permission first, which the hub's redirects refuse.
    const plain = /^(host|connection|sec-.*|user-agent|accept|accept-.*|origin|referer|cache-control|pragma|dnt)$/;
    expect(Object.keys(r.headers).filter((key) => !plain.test(key))).toEqual([]);
  }
});

test.runIf(hasReal)('the real Parquet samples come through the hub', async () => {
  const rows = { train: await realFile('hf-train-1000.parquet'), test: await realFile('hf-test-400.parquet') };
  const name = fresh();
  const seen: string[] = [];
  const data = await loadPublished('cifar10', {
    ...options(name, await hub(name, { rows, counts: [1000, 400] })),
    onProgress: (p) => {
      seen.push(p.stage);
      expect(p.images).toBeLessThanOrEqual(1400);
      expect(p.bytesPerSecond).toBeGreaterThanOrEqual(0);
      if (p.totalBytes > 0) expect(p.bytes).toBeLessThanOrEqual(p.totalBytes);
    },
  });
  expect([data.train.count, data.test.count]).toEqual([1000, 400]);
  expect([...data.train.labels.subarray(0, 10)]).toEqual([6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
  expect(seen.join()).toMatch(/Downloading.*Decoding.*Storing/);
});

test('a site without the folder is passed over, whatever its server answers', async () => {
  const o = await hub(fresh());
  holds(await loadPublished('cifar10', options(fresh(), o)), 'huggingface');
  for (const [body, behaviour] of [
    ['<!doctype html><title>App</title>', { type: 'text/html' }],
    ['  <html></html>', { type: 'application/json' }],
    ['no', { status: 500 }],
    ['no', { status: 403 }],
  ] as const) {
    await clearStorage();
    const name = fresh();
    await serve(`${name}/*`, body, behaviour);
    holds(await loadPublished('cifar10', options(name, o)), 'huggingface');
  }
});

test('a damaged folder is named, and nothing is kept of it', async () => {
  const broken: [object | undefined, RegExp][] = [
    [{ version: 2 }, /cifar10\.json: expected a description/],
    [{ train: { file: '../secret', bytes: 3073, sha256: '0'.repeat(64), count: 1 } }, /cifar10\.json/],
    [{ train: { file: 'train.bin', bytes: 3073, sha256: '0'.repeat(64), count: 2 } }, /cifar10\.json/],
    [{ train: { ...(await entry('train.bin', train)), sha256: '0'.repeat(64) } }, /train\.bin: expected SHA-256 0000.*found [0-9a-f]{64}/],
    [{ test: await entry('test.bin', train.slice(0, 3073 * 19)) }, /test\.bin: expected 58387 bytes, found 61460/],
    [{ test: await entry('other.bin', b.test) }, /other\.bin: expected other\.bin from .*, found the answer 404/],
  ];
  for (const [index, message] of broken) {
    const name = fresh();
    await site(name, { index });
    expect((await failure(loadPublished('cifar10', options(name)))).message).toMatch(message);
  }
  const name = fresh();
  await serve(`${name}/data/cifar10/cifar10.json`, '{"format": ');
  expect((await failure(loadPublished('cifar10', options(name)))).message).toMatch(/cifar10\.json.*\{"format": /);
  const labels = train.slice();
  labels[3073] = 77;
  const bad = fresh();
  await site(bad, { index: { train: await entry('train.bin', labels) } });
  await serve(`${bad}/data/cifar10/train.bin`, labels);
  expect((await failure(loadPublished('cifar10', options(bad)))).message).toMatch(
    /train\.bin: expected labels from 0 to 9, found 77 in record 2/,
  );
});

test('a broken download from this site goes on where it stopped, as often as it breaks', async () => {
  const name = fresh();
  await site(name, { train: { cutAfter: 100_000, cuts: 2 } });
  const error = await failure(loadPublished('cifar10', options(name)));
  expect(error).toMatchObject({ kind: 'network', file: 'train.bin', expected: `${train.length} bytes` });
  expect(error.found).toMatch(/^100000 bytes: the connection broke/);
  expect(error.nextStep).toMatch(/continues where it stopped.*cifar-10-binary\.tar\.gz/);
  expect((await failure(loadPublished('cifar10', options(name)))).found).toMatch(/^200000 bytes/);
  holds(await loadPublished('cifar10', options(name)), 'site');
  const ranges = (await requests(name)).filter((r) => r.path.endsWith('train.bin')).map((r) => [r.headers.range, r.headers['if-range']]);
  expect(ranges).toEqual([
    [undefined, undefined],
    ['bytes=100000-', '"one"'],
    ['bytes=200000-', '"one"'],
  ]);
});

test('a server that knows no ranges starts again, and a kept part that does not fit is dropped', async () => {
  const name = fresh();
  await site(name, { train: { cutAfter: 50_000, ranges: false } });
  expect((await failure(loadPublished('cifar10', options(name)))).found).toMatch(/^50000 bytes/);
  holds(await loadPublished('cifar10', options(name)), 'site');
  await clearStorage();
  // The file became shorter than what was kept of it.
  const other = fresh();
  await site(other, { train: { cutAfter: 200_000 } });
  await failure(loadPublished('cifar10', options(other)));
  await serve(`${other}/data/cifar10/train.bin`, train, { status: 416, ranges: false });
  expect((await failure(loadPublished('cifar10', options(other)))).message).toMatch(/416/);
});

test('a broken download from the hub says how far it came, and the finished file is not fetched again', async () => {
  const name = fresh();
  const cut = Math.floor(hubRows.train.length / 2);
  const o = await hub(name, { train: { cutAfter: cut }, test: { cutAfter: 100, noLength: true } });
  const error = await failure(loadPublished('cifar10', options(fresh(), o)));
  expect(error).toMatchObject({ kind: 'network', file: 'train.parquet', expected: `${hubRows.train.length} bytes` });
  expect(error.found).toMatch(new RegExp(`^${cut} bytes: the connection broke`));
  expect(error.nextStep).toMatch(/starts from the beginning/);
  const second = await failure(loadPublished('cifar10', options(fresh(), o)));
  expect(second).toMatchObject({ file: 'test.parquet', found: expect.stringMatching(/^100 bytes/) as string });
  holds(await loadPublished('cifar10', options(fresh(), o)), 'huggingface');
  const log = (await requests(name)).map((r) => r.path.slice(name.length + 1));
  expect(log).toEqual(['train.parquet', 'train.parquet', 'test.parquet', 'test.parquet']);
});

test('a hub that is not there, answers with an error or a page, or sends something else', async () => {
  const gone = await failure(loadPublished('cifar10', options(fresh())));
  expect(gone).toMatchObject({ kind: 'network', file: 'train-00000-of-00001.parquet' });
  expect(gone.message).toMatch(/answer from 127\.0\.0\.1:9/);
  expect(gone.nextStep).toMatch(/connection/);
  const cases: [object, RegExp][] = [
    [{ train: { status: 404 } }, /404/],
    [{ train: { status: 503 } }, /503/],
    [{ train: { type: 'text/html' } }, /web page/],
    [{ counts: [101, 20] }, /train\.parquet: expected 101 images, found 100/],
    [{ rows: { train: hubRows.train.slice(0, 5000), test: hubRows.test } }, /PAR1/],
    [{ rows: { train: new TextEncoder().encode('Internal error'), test: hubRows.test } }, /PAR1/],
    [{ rows: { train: new Uint8Array(0), test: hubRows.test } }, /0 bytes/],
  ];
  for (const [o, message] of cases)
    expect((await failure(loadPublished('cifar10', options(fresh(), await hub(fresh(), o))))).message).toMatch(message);
});

test('another checksum than the published one is a notice, as long as the content is whole', async () => {
  const data = await loadPublished('cifar10', options(fresh(), await hub(fresh(), { sha: 'ab'.repeat(32) })));
  holds(data, 'huggingface');
  expect(data.notices.map((n) => n.kind)).toEqual(['checksum', 'checksum']);
  expect(data.notices[0]?.text).toMatch(/train\.parquet.*SHA-256 [0-9a-f]{64}, expected abab/);
});

test('a cancel during a slow download ends it at once and leaves nothing behind', async () => {
  const name = fresh();
  await site(name, { train: { cutAfter: 8192 } });
  expect((await failure(loadPublished('cifar10', options(name)))).nextStep).toMatch(/continues/);
  await site(name, { train: { chunk: 4096, delayMs: 30 } });
  const controller = new AbortController();
  let at = 0;
  const error = await failure(
    loadPublished('cifar10', {
      ...options(name),
      signal: controller.signal,
      onProgress: (p) => {
        if (p.bytes > 20_000 && at === 0) {
          at = performance.now();
          controller.abort();
        }
      },
    }),
  );
  expect(error.kind).toBe('cancelled');
  expect(at).toBeGreaterThan(0);
  expect(performance.now() - at).toBeLessThan(1000);
  await site(name);
  holds(await loadPublished('cifar10', options(name)), 'site');
  // Broken, continued and cancelled, and from the beginning again.
  const ranges = (await requests(name)).filter((r) => r.path.endsWith('train.bin')).map((r) => r.headers.range);
  expect(ranges).toEqual([undefined, 'bytes=8192-', undefined]);
});
