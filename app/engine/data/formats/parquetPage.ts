import { gunzipSync } from 'fflate';
import { crc32 } from './checksums';
import { FormatError } from './formatError';
import { unsnappy } from './snappy';
import type { Leaf } from './parquet';
import { numberAt, structAt, type Struct } from './thrift';

/** One entry per row; null where the row has none. */
export type PageValues = (Uint8Array | number | null)[];

const PLAIN = 0;
const DICTIONARIES = [2, 8];
const ENCODINGS: Record<number, string> = {
  3: 'run lengths',
  4: 'bit packing',
  5: 'delta encoding',
  6: 'delta lengths',
  7: 'delta strings',
  9: 'split streams',
};
const damaged = (expected: string, found: string) => new FormatError(expected, found, 'The file is damaged: get it again.');

/**
 * Decodes one page (parquet-format: Encodings.md, "Data Pages"). `rows` is the largest number of values it may hold.
 * Returns undefined for index pages.
 */
export function decodePage(
  header: Struct,
  body: Uint8Array,
  size: number,
  codec: number,
  leaf: Leaf,
  rows: number,
  dictionary: PageValues | undefined,
): { dictionary: boolean; values: PageValues } | undefined {
  if (header.has(4)) {
    const sum = crc32(body);
    if (sum !== numberAt(header, 4) >>> 0) throw damaged('a page with the checksum it names', 'another checksum');
  }
  const type = numberAt(header, 1);
  if (type === 1) return undefined;
  if (type === 2) {
    const count = numberAt(structAt(header, 7), 1);
    const bytes = uncompress(body, size, codec);
    if (count < 0 || count > rows) throw damaged(`a dictionary of at most ${rows} values`, `${count}`);
    return { dictionary: true, values: plain(bytes, count, leaf) };
  }
  if (type === 0) {
    const page = structAt(header, 5);
    const count = countOf(page, rows);
    const bytes = uncompress(body, size, codec);
    let at = 0;
    let levels: Uint16Array | Uint32Array | undefined;
    if (leaf.maxLevel > 0) {
      if (bytes.length < 4) throw damaged('definition levels', 'none');
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      at = 4 + length;
      if (at > bytes.length) throw damaged(`definition levels within ${bytes.length} bytes`, `${length}`);
      levels = hybrid(bytes.subarray(4, at), bitsFor(leaf.maxLevel), count);
    }
    return { dictionary: false, values: valuesOf(bytes.subarray(at), numberAt(page, 2), count, levels, leaf, dictionary) };
  }
  if (type === 3) {
    const page = structAt(header, 8);
    const count = countOf(page, rows);
    const repetition = numberAt(page, 6);
    const definition = numberAt(page, 5);
    const skip = repetition + definition;
    if (repetition < 0 || definition < 0 || skip > body.length || skip > size) throw damaged('levels within the page', `${skip} bytes`);
    const levels = leaf.maxLevel > 0 ? hybrid(body.subarray(repetition, skip), bitsFor(leaf.maxLevel), count) : undefined;
    const packed = page.get(7) !== false;
    const bytes = uncompress(body.subarray(skip), size - skip, packed ? codec : 0);
    return { dictionary: false, values: valuesOf(bytes, numberAt(page, 4), count, levels, leaf, dictionary) };
  }
  throw damaged('a known kind of page', `kind ${type}`);
}

function countOf(page: Struct, rows: number): number {
  const count = numberAt(page, 1);
  // A page without values would never bring the column to its end.
  if (count < 1 || count > rows) throw damaged(`a page of 1 to ${rows} values`, `${count}`);
  return count;
}

function uncompress(body: Uint8Array, size: number, codec: number): Uint8Array {
  if (codec === 1) return unsnappy(body, size);
  let out = body;
  if (codec === 2) {
    try {
      out = gunzipSync(body, { out: new Uint8Array(size + 1) });
    } catch (error) {
      throw damaged('gzip data', error instanceof Error ? error.message : 'none');
    }
  }
  if (out.length !== size) throw damaged(`a page of ${size} bytes`, `${out.length}`);
  return out;
}

const bitsFor = (max: number) => 32 - Math.clz32(max);

/** Unpacks `count` numbers of the run-length / bit-packing hybrid. */
function hybrid(bytes: Uint8Array, width: number, count: number): Uint16Array | Uint32Array {
  const out = width > 16 ? new Uint32Array(count) : new Uint16Array(count);
  if (width === 0) return out;
  if (width > 24) throw damaged('indices of at most 24 bits', `${width}`);
  let at = 0;
  let n = 0;
  while (n < count) {
    let head = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) throw damaged(`${count} levels or indices`, `${n}`);
      head += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (head % 2 === 0) {
      let value = 0;
      for (let i = 0; i < width; i += 8) {
        const byte = bytes[at++];
        if (byte === undefined) throw damaged(`${count} levels or indices`, `${n}`);
        value |= byte << i;
      }
      const end = Math.min(count, n + head / 2);
      if (end === n) throw damaged('runs of at least one value', 'an empty one');
      out.fill(value, n, end);
      n = end;
      continue;
    }
    const packed = Math.min((head - 1) * 4, count - n);
    if (packed === 0) throw damaged('runs of at least one value', 'an empty one');
    if (at + Math.ceil((packed * width) / 8) > bytes.length) throw damaged(`${count} levels or indices`, `${n}`);
    let have = 0;
    let buffer = 0;
    const start = at;
    for (let i = 0; i < packed; i++) {
      // At most 7 + 24 bits are held at once.
      while (have < width) {
        buffer |= (bytes[at++] as number) << have;
        have += 8;
      }
      out[n++] = buffer & ((1 << width) - 1);
      buffer >>>= width;
      have -= width;
    }
    at = start + ((head - 1) / 2) * width;
  }
  return out;
}

function valuesOf(
  bytes: Uint8Array,
  encoding: number,
  count: number,
  levels: Uint16Array | Uint32Array | undefined,
  leaf: Leaf,
  dictionary: PageValues | undefined,
): PageValues {
  let present = count;
  if (levels) {
    present = 0;
    for (const level of levels) if (level === leaf.maxLevel) present++;
  }
  let dense: PageValues;
  if (encoding === PLAIN) {
    dense = plain(bytes, present, leaf);
  } else if (DICTIONARIES.includes(encoding)) {
    if (!dictionary) throw damaged('a dictionary before its use', 'none');
    const width = bytes[0] ?? 0;
    const known = dictionary;
    dense = Array.from(present > 0 ? hybrid(bytes.subarray(1), width, present) : [], (index) => {
      const value = known[index];
      if (value === undefined) throw damaged(`a dictionary index below ${known.length}`, `${index}`);
      return value;
    });
  } else {
    throw new FormatError(
      `plain or dictionary values in column ${leaf.path}`,
      ENCODINGS[encoding] ?? `encoding ${encoding}`,
      'Save the file with plain encoding, as pyarrow and DuckDB do by default.',
    );
  }
  if (!levels || present === count) return dense;
  let next = 0;
  return Array.from(levels, (level) => (level === leaf.maxLevel ? (dense[next++] as Uint8Array | number) : null));
}

function plain(bytes: Uint8Array, count: number, leaf: Leaf): PageValues {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: PageValues = [];
  const short = (i: number) => damaged(`${count} values in column ${leaf.path}`, `${i}`);
  if (leaf.type === 'INT64' || leaf.type === 'INT32') {
    const wide = leaf.type === 'INT64';
    const step = wide ? 8 : 4;
    if (bytes.length < count * step) throw short(Math.floor(bytes.length / step));
    for (let i = 0; i < count; i++) out.push(wide ? Number(view.getBigInt64(i * 8, true)) : view.getInt32(i * 4, true));
    return out;
  }
  if (leaf.type !== 'BYTE_ARRAY') throw new FormatError(`bytes or whole numbers in column ${leaf.path}`, leaf.type);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) throw short(i);
    const length = view.getUint32(at, true);
    at += 4;
    if (length > bytes.length - at) throw short(i);
    out.push(bytes.subarray(at, at + length));
    at += length;
  }
  return out;
}
