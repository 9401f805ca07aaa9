import { encode } from 'fast-png';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DataError, type LoadOptions, type NamedBlob, type Split } from '../../../app/engine/data';

/** Folder of real CIFAR-10 samples, empty where there is none; then files are made from drawn images. */
declare const __CIFAR_DIR__: string;

export type Bytes = Uint8Array<ArrayBuffer>;
export const RECORD = 3073;
export const PIXELS = 3072;
export const hasReal = __CIFAR_DIR__ !== '';

export async function realFile(name: string): Promise<Bytes> {
  const response = await fetch(`/@fs${__CIFAR_DIR__}/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Repeatable random numbers in [0, 1). */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Records of smooth drawn images, which compress and filter like photos. */
export function records(count: number, seed: number): Bytes {
  const next = random(seed);
  const out = new Uint8Array(count * RECORD);
  for (let n = 0; n < count; n++) {
    out[n * RECORD] = Math.floor(next() * 10);
    const [a, b, c] = [next() * 8, next() * 8, next() * 255];
    for (let i = 0; i < PIXELS; i++) {
      out[n * RECORD + 1 + i] = Math.max(0, Math.min(255, c + a * (i % 32) - b * ((i >> 5) % 32) + 20 * (i >> 10) + next() * 12));
    }
  }
  return out;
}

export const splitOfRecords = (bytes: Bytes): Split => {
  const count = bytes.length / RECORD;
  const split: Split = { images: new Uint8Array(count * PIXELS), labels: new Uint8Array(count), count };
  for (let n = 0; n < count; n++) {
    split.labels[n] = bytes[n * RECORD] as number;
    split.images.set(bytes.subarray(n * RECORD + 1, (n + 1) * RECORD), n * PIXELS);
  }
  return split;
};

export const concat = (...parts: Uint8Array[]): Bytes => {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
};

/** A ustar header with a right checksum; `size` may lie. */
export function tarHeader(name: string, size: number | string, kind = '0', prefix = ''): Bytes {
  const b = new Uint8Array(512);
  const put = (text: string, at: number) =>
    b.set(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      at,
    );
  put(name, 0);
  put('0000644\0', 100);
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  put('        ', 148);
  put(kind, 156);
  put('ustar\x0000', 257);
  put(prefix, 345);
  const sum = b.reduce((n, x) => n + x, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return b;
}

export const tarEntry = (name: string, body: Uint8Array, kind = '0'): Bytes =>
  concat(tarHeader(name, body.length, kind), body, new Uint8Array((512 - (body.length % 512)) % 512));
export const tarEnd = new Uint8Array(1024);
export const text = (s: string): Bytes => new TextEncoder().encode(s);

export async function gzip(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

/** One PNG of a record's planes, by an encoder that is not ours. */
export function pngOf(planes: Uint8Array): Bytes {
  const data = new Uint8Array(PIXELS);
  for (let i = 0; i < 1024; i++) for (let c = 0; c < 3; c++) data[i * 3 + c] = planes[c * 1024 + i] as number;
  return new Uint8Array(encode({ width: 32, height: 32, channels: 3, depth: 8, data }));
}

export interface Row {
  png: Uint8Array | null;
  label: bigint | null;
}
export const rowsOf = (bytes: Bytes): Row[] => {
  const s = splitOfRecords(bytes);
  return Array.from({ length: s.count }, (_, n) => ({
    png: pngOf(s.images.subarray(n * PIXELS, (n + 1) * PIXELS)),
    label: BigInt(s.labels[n] as number),
  }));
};

type WriteOptions = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>;

/** The hub's schema, by a writer that is not ours. */
export function parquetOf(rows: Row[], options: WriteOptions = {}): Bytes {
  const schema: WriteOptions['schema'] = [
    { name: 'root', num_children: 2 },
    { name: 'img', num_children: 2, repetition_type: 'OPTIONAL' },
    { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
    { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
  ];
  const columnData = [
    { name: 'img', data: rows.map((r) => ({ bytes: r.png, path: null })) },
    { name: 'label', data: rows.map((r) => r.label) },
  ];
  return new Uint8Array(parquetWriteBuffer({ schema, columnData, ...options }));
}

/** Six small batches: the first records of the real ones where they are at hand. */
export interface Batches {
  train: Bytes[];
  test: Bytes;
}
export const TRAIN_NAMES = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`);

export function drawnBatches(count: number): Batches {
  return { train: [1, 2, 3, 4, 5].map((seed) => records(count, seed)), test: records(count, 6) };
}

/** An archive of the official layout and order. */
export function tarOf(b: Batches): Bytes {
  const dir = 'cifar-10-batches-bin/';
  const order = [0, 2, 3];
  return concat(
    tarHeader(dir, 0, '5'),
    ...order.slice(0, 1).map((i) => tarEntry(`${dir}${TRAIN_NAMES[i]}`, b.train[i] as Bytes)),
    tarEntry(`${dir}batches.meta.txt`, text('airplane\n')),
    ...order.slice(1).map((i) => tarEntry(`${dir}${TRAIN_NAMES[i]}`, b.train[i] as Bytes)),
    tarEntry(`${dir}test_batch.bin`, b.test),
    tarEntry(`${dir}readme.html`, text('<html></html>')),
    ...[4, 1].map((i) => tarEntry(`${dir}${TRAIN_NAMES[i]}`, b.train[i] as Bytes)),
    tarEnd,
  );
}

export const file = (name: string, ...bytes: Bytes[]): NamedBlob => ({ name, blob: new Blob(bytes) });
export const looseFiles = (b: Batches): NamedBlob[] => [
  ...b.train.map((x, i) => file(TRAIN_NAMES[i] as string, x)),
  file('test_batch.bin', b.test),
];

export const quiet = (signal = new AbortController().signal): LoadOptions => ({ signal, onProgress: () => undefined });

/** The DataError a promise rejects with; anything else fails the test. */
export async function failure(promise: Promise<unknown>): Promise<DataError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('expected a DataError, but it loaded');
}

export async function clearStorage(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('q3r-data', { recursive: true }).catch(() => undefined);
}

/** Stores a file on the test server (tests/support/streamServer.mjs). */
export async function serve(path: string, body: Uint8Array | string, behaviour: object = {}): Promise<void> {
  const response = await fetch(`/stream-test/${path}`, {
    method: 'PUT',
    headers: { 'x-behaviour': JSON.stringify(behaviour) },
    body: body as BodyInit,
  });
  if (!response.ok) throw new Error(`test server: ${response.status}`);
}
export interface Logged {
  method: string;
  path: string;
  headers: Record<string, string>;
}
export const requests = async (name: string) => (await (await fetch(`/stream-test/log/${name}`)).json()) as Logged[];

export async function sha256(bytes: Bytes): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(sum, (x) => x.toString(16).padStart(2, '0')).join('');
}

/** A damaged copy: bits flipped, bytes changed, runs erased, pieces removed or doubled, or spliced in from `other`. */
export function mutate(bytes: Bytes, next: () => number, from = 0, other = bytes): Bytes {
  const out = bytes.slice();
  const at = () => from + Math.floor(next() * (bytes.length - from));
  const kind = Math.floor(next() * 7);
  if (kind === 0) out[at()] = Math.floor(next() * 256);
  if (kind === 1) for (let i = 0; i < 4; i++) out[at()] = [0, 0x7f, 0x80, 0xff, 0xfc][Math.floor(next() * 5)] as number;
  if (kind === 2) out.fill(next() < 0.5 ? 0 : 255, at(), at());
  if (kind === 3) return concat(out.subarray(0, at()), out.subarray(at()));
  if (kind === 4) for (let i = 0; i < 8; i++) out[at()] = Math.floor(next() * 256);
  if (kind === 5) {
    const i = at();
    out[i] = (out[i] as number) ^ (1 << Math.floor(next() * 8));
  }
  if (kind === 6) {
    const start = Math.floor(next() * other.length);
    const i = at();
    return concat(out.subarray(0, i), other.subarray(start, start + Math.floor(next() * 200)), out.subarray(next() < 0.5 ? i : at()));
  }
  return out;
}
