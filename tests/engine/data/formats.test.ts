import { encode } from 'fast-png';
import fc from 'fast-check';
import { zlibSync } from 'fflate';
import { parquetMetadata } from 'hyparquet';
import { expect, test } from 'vitest';
import { adler32, crc32, Sha256, wordSum } from '../../../app/engine/data/formats/checksums';
import { FormatError } from '../../../app/engine/data/formats/formatError';
import { openParquet, readColumn, type ParquetFile } from '../../../app/engine/data/formats/parquet';
import { decodePage } from '../../../app/engine/data/formats/parquetPage';
import { PngDecoder } from '../../../app/engine/data/formats/png';
import { unsnappy } from '../../../app/engine/data/formats/snappy';
import { isTarHeader, TarReader } from '../../../app/engine/data/formats/tar';
import { concat, parquetOf, pngOf, random, records, rowsOf, sha256, tarEnd, tarEntry, tarHeader, text, type Bytes } from './fixtures';

const noise = (n: number, seed: number): Bytes => {
  const next = random(seed);
  return Uint8Array.from({ length: n }, () => next() * 256);
};

test('SHA-256 is that of the browser, however the bytes arrive', async () => {
  for (const n of [0, 1, 55, 56, 63, 64, 65, 119, 1000]) {
    const bytes = noise(n, n);
    expect(new Sha256().update(bytes).hex(), `${n} bytes`).toBe(await sha256(bytes));
    const parts = new Sha256();
    for (let at = 0; at < n; at += 37) parts.update(bytes.subarray(at, at + 37));
    expect(parts.hex(), `${n} bytes in parts`).toBe(await sha256(bytes));
  }
});

test('CRC-32 and Adler-32 match their published check values', () => {
  expect(crc32(text('123456789'))).toBe(0xcbf43926);
  expect(adler32(text('Wikipedia'))).toBe(0x11e60398);
  // Long enough for the deferred modulus.
  const long = new Uint8Array(100_000).fill(255);
  const zlib = zlibSync(long);
  expect(adler32(long)).toBe(new DataView(zlib.buffer, zlib.byteOffset).getUint32(zlib.length - 4));
});

test('the word sum changes with any single byte', () => {
  const bytes = noise(103, 1);
  const sum = wordSum(bytes);
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i] = (changed[i] as number) ^ 1;
    expect(wordSum(changed), `byte ${i}`).not.toBe(sum);
  }
});

const be32 = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
const chunk = (type: string, body: Uint8Array) => concat(be32(body.length), text(type), body, be32(crc32(concat(text(type), body))));
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
function png(o: { depth?: number; kind?: number; size?: number; interlace?: number; raw: Uint8Array; palette?: Uint8Array }): Bytes {
  const size = o.size ?? 32;
  const header = concat(be32(size), be32(size), Uint8Array.of(o.depth ?? 8, o.kind ?? 2, 0, 0, o.interlace ?? 0));
  const zlib = zlibSync(o.raw);
  const half = zlib.length >> 1;
  const plte = o.palette ? chunk('PLTE', o.palette) : new Uint8Array(0);
  const parts = [
    chunk('IHDR', header),
    chunk('tEXt', text('a\0b')),
    plte,
    chunk('IDAT', zlib.subarray(0, half)),
    chunk('IDAT', zlib.subarray(half)),
  ];
  return concat(SIGNATURE, ...parts, chunk('IEND', new Uint8Array(0)));
}

/** Filters rows by the formulas of the specification, so that every filter's inverse is exercised. */
function filtered(data: Uint8Array, bpp: number, filterOf: (y: number) => number): Uint8Array {
  const stride = 32 * bpp;
  const out = new Uint8Array(32 * (stride + 1));
  for (let y = 0; y < 32; y++) {
    const f = filterOf(y);
    out[y * (stride + 1)] = f;
    for (let i = 0; i < stride; i++) {
      const a = i >= bpp ? (data[y * stride + i - bpp] as number) : 0;
      const b = y > 0 ? (data[(y - 1) * stride + i] as number) : 0;
      const c = i >= bpp && y > 0 ? (data[(y - 1) * stride + i - bpp] as number) : 0;
      const p = a + b - c;
      const nearest = [a, b, c].reduce((best, x) => (Math.abs(p - x) < Math.abs(p - best) ? x : best));
      const guess = [0, a, b, (a + b) >> 1, nearest][f] as number;
      out[y * (stride + 1) + 1 + i] = (data[y * stride + i] as number) - guess;
    }
  }
  return out;
}

test('PNG: every row filter and every kind of pixel', () => {
  const decoder = new PngDecoder(32, 32);
  const out = new Uint8Array(3072 + 2);
  for (const [kind, samples] of [
    [0, 1],
    [2, 3],
    [4, 2],
    [6, 4],
  ] as const) {
    const data = noise(1024 * samples, 10 + kind);
    for (const filterOf of [() => 0, () => 1, () => 2, () => 3, () => 4, (y: number) => y % 5]) {
      decoder.decode(png({ kind, raw: filtered(data, samples, filterOf) }), out, 1);
      const wanted = Uint8Array.from({ length: 3072 }, (_, i) => data[(i % 1024) * samples + (samples < 3 ? 0 : i >> 10)] as number);
      expect(out.subarray(1, 3073)).toEqual(wanted);
    }
  }
  expect([out[0], out[3073]]).toEqual([0, 0]);
  for (const depth of [1, 2, 4, 8]) {
    const palette = noise(3 << depth, depth);
    const stride = 4 * depth;
    const raw = noise(32 * (stride + 1), 3).map((x, i) => (i % (stride + 1) === 0 ? 0 : x));
    decoder.decode(png({ kind: 3, depth, raw, palette }), out, 0);
    for (const i of [0, 1, 31, 500, 1023]) {
      const byte = raw[(i >> 5) * (stride + 1) + 1 + (((i & 31) * depth) >> 3)] as number;
      const index = (byte >> (8 - depth - (((i & 31) * depth) & 7))) & ((1 << depth) - 1);
      expect([out[i], out[i + 1024], out[i + 2048]]).toEqual([...palette.subarray(index * 3, index * 3 + 3)]);
    }
  }
});

test('PNG: images of another encoder, and what is refused', () => {
  const decoder = new PngDecoder(32, 32);
  const out = new Uint8Array(3072);
  const planes = records(1, 9).subarray(1);
  const good = pngOf(planes);
  decoder.decode(good, out, 0);
  expect(out).toEqual(planes);
  const fails = (bytes: Uint8Array, what: RegExp) => {
    expect(() => decoder.decode(bytes, out, 0)).toThrow(FormatError);
    expect(() => decoder.decode(bytes, out, 0)).toThrow(what);
  };
  fails(new Uint8Array(0), /no bytes/);
  fails(text('GIF89a'), /another format/);
  fails(new Uint8Array(encode({ width: 31, height: 32, channels: 3, data: new Uint8Array(31 * 32 * 3) })), /31 × 32/);
  fails(png({ raw: new Uint8Array(32 * 97), interlace: 1 }), /interlaced/);
  fails(png({ raw: new Uint8Array(32 * 193), depth: 16 }), /16-bit RGB/);
  fails(png({ raw: new Uint8Array(32 * 97 - 1) }), /3104 bytes of pixels/);
  fails(png({ raw: new Uint8Array(32 * 97 + 1) }), /3104 bytes of pixels/);
  fails(png({ raw: new Uint8Array(1 << 19) }), /3104 bytes of pixels/);
  fails(png({ raw: new Uint8Array(32 * 97).fill(9) }), /row filter/);
  fails(png({ kind: 3, raw: new Uint8Array(32 * 33) }), /palette/);
  fails(png({ kind: 3, raw: new Uint8Array(32 * 33).map((_, i) => (i % 33 ? 7 : 0)), palette: new Uint8Array(6) }), /palette index/);
  for (let n = 0; n < good.length; n++) expect(() => decoder.decode(good.subarray(0, n), out, 0), `${n} bytes`).toThrow(FormatError);
  for (let i = 0; i < good.length; i++) {
    const bad = good.slice();
    bad[i] = (bad[i] as number) ^ 0x10;
    expect(() => decoder.decode(bad, out, 0), `byte ${i} changed`).toThrow(FormatError);
  }
  decoder.decode(good, out, 0);
  expect(out).toEqual(planes);
});

test('Snappy: literals, copies that overlap, and lengths that lie', () => {
  // "abcd" then a copy of 8 bytes from 4 back, then one literal with a two-byte length.
  const tail = noise(300, 2);
  const packed = concat(
    Uint8Array.of(0xb8, 0x02, 0x0c),
    text('abcd'),
    Uint8Array.of(0x1e, 4, 0),
    Uint8Array.of(0xf4, 299 & 255, 299 >> 8),
    tail,
  );
  expect(unsnappy(packed, 312)).toEqual(concat(text('abcdabcdabcd'), tail));
  expect(() => unsnappy(packed, 311)).toThrow(FormatError);
  for (let n = 0; n < packed.length; n++) expect(() => unsnappy(packed.subarray(0, n), 312)).toThrow(FormatError);
  // A literal of 2^32 - 6 bytes: as a signed number it would move backwards for ever.
  expect(() => unsnappy(Uint8Array.of(4, 0xfc, 0xf9, 0xff, 0xff, 0xff, 1, 2, 3, 4), 4)).toThrow(FormatError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(80), (bytes, size) => {
      try {
        expect(unsnappy(bytes, size).length).toBe(size);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 500 },
  );
});

function untar(bytes: Uint8Array, step = bytes.length, max = 1e6): Record<string, number[]> {
  const out: Record<string, number[]> = {};
  const reader = new TarReader((entry) => {
    const got: number[] = [];
    return { write: (b) => void got.push(...b), end: () => void (out[entry.name] = got) };
  }, max);
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  reader.end();
  return out;
}

test('tar: names, sizes and extensions, in pieces of any size', () => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(120)}.bin`;
  const pax = `${`path=${long}\n`.length + 4} path=${long}\n`;
  const archive = concat(
    tarHeader('folder/', 0, '5'),
    tarEntry('folder/one', Uint8Array.of(1, 2, 3)),
    tarEntry('link', new Uint8Array(0), '2'),
    tarEntry('empty', new Uint8Array(0)),
    tarEntry('x', text(pax), 'x'),
    tarEntry('short', Uint8Array.of(4)),
    tarEntry('././@LongLink', text(`${long}2\0`), 'L'),
    tarEntry('short', Uint8Array.of(5)),
    tarEntry('g', text('20 comment=whatever\n'), 'g'),
    concat(tarHeader('name', 512, '0', 'prefix'), new Uint8Array(512).fill(7)),
    tarHeader('big', '\x80\0\0\0\0\0\0\0\0\0\0\x02'),
    concat(Uint8Array.of(8, 9), new Uint8Array(510)),
    tarEnd,
    noise(700, 4),
  );
  const wanted = {
    'folder/one': [1, 2, 3],
    empty: [],
    [long]: [4],
    [`${long}2`]: [5],
    'prefix/name': new Array<number>(512).fill(7),
    big: [8, 9],
  };
  for (const step of [archive.length, 1, 511, 512, 513]) expect(untar(archive, step)).toEqual(wanted);
});

test('tar: what is refused', () => {
  const one = tarEntry('one', Uint8Array.of(1, 2, 3));
  const fails = (bytes: Uint8Array, what: RegExp) => {
    expect(() => untar(bytes)).toThrow(FormatError);
    expect(() => untar(bytes)).toThrow(what);
  };
  fails(new Uint8Array(0), /nothing/);
  fails(new Uint8Array(1024), /zeros/);
  fails(noise(512, 1), /tar header/);
  fails(concat(one, noise(512, 1)), /after one/);
  fails(one.subarray(0, 514), /ends 1 bytes before the end of one/);
  fails(concat(one, one.subarray(0, 100)), /ends after one/);
  fails(one, /ends after one/);
  for (const name of ['../one', '/etc/passwd', 'a/../../b', 'C:\\one', 'a\\..\\b'])
    fails(tarEntry(name, Uint8Array.of(1)), /names inside the archive/);
  fails(tarHeader('huge', '77777777777\0'), /at most 1000000 bytes/);
  fails(tarHeader('huge', '\x80\xff'), /at most|tar header|size/);
  fails(tarHeader('odd', '12z\0'), /a size/);
  fails(tarHeader('x', '77777777777\0', 'x'), /short table/);
  fails(concat(tarEntry('x', text('999 path=a\n'), 'x'), one), /attributes/);
  fails(concat(tarEntry('x', text('13 size=oops\n'), 'x'), one), /whole bytes/);
  const header = tarHeader('one', 3);
  expect(isTarHeader(header)).toBe(true);
  header[0] = 0x61;
  expect(isTarHeader(header)).toBe(false);
});

const columnOf = async (bytes: Bytes, opened: ParquetFile, path: string) => {
  const leaf = opened.leaves.find((l) => l.path === path);
  if (!leaf) throw new Error(path);
  const out: unknown[] = [];
  for (const group of opened.groups) {
    const part = group.chunks.get(path);
    if (part)
      for await (const page of readColumn(new Blob([bytes]), part, leaf))
        out.push(...page.map((v) => (v instanceof Uint8Array ? [...v] : v)));
  }
  return out;
};

test('Parquet: pages, dictionaries, codecs and nulls of another writer', async () => {
  const rows = rowsOf(records(23, 1)).map((r, i) => (i % 7 === 3 ? { png: null, label: null } : r));
  // Repeated images make the writer use a dictionary for them.
  const repeated = Array.from({ length: 40 }, (_, i) => rows[i % 3] ?? { png: null, label: null });
  for (const options of [{}, { codec: 'UNCOMPRESSED' }, { rowGroupSize: 5 }, { pageSize: 5000 }] as const) {
    for (const data of [rows, repeated]) {
      const bytes = parquetOf(data, options);
      const opened = await openParquet(new Blob([bytes]), 100);
      expect(opened.rows).toBe(data.length);
      expect(await columnOf(bytes, opened, 'img.bytes')).toEqual(data.map((r) => r.png && [...r.png]));
      expect(await columnOf(bytes, opened, 'label')).toEqual(data.map((r) => (r.label === null ? null : Number(r.label))));
      expect(await columnOf(bytes, opened, 'img.path')).toEqual(data.map(() => null));
    }
  }
  const dictionary = parquetMetadata(parquetOf(repeated).buffer).row_groups[0]?.columns[0]?.meta_data?.encodings;
  expect(dictionary).toContain('RLE_DICTIONARY');
});

test('Parquet: too many rows and a footer that lies are refused before anything is read', async () => {
  const bytes = parquetOf(rowsOf(records(3, 1)));
  await expect(openParquet(new Blob([bytes]), 2)).rejects.toThrow(/at most 2 rows/);
  for (const end of [0, 4, 11, bytes.length - 1, bytes.length - 9])
    await expect(openParquet(new Blob([bytes.subarray(0, end)]), 9)).rejects.toThrow(FormatError);
  const lie = bytes.slice();
  lie.set([255, 255, 255, 127], lie.length - 8);
  await expect(openParquet(new Blob([lie]), 9)).rejects.toThrow(/footer/);
});

test('Parquet: a page must hold at least one value, and no more than its column has left', () => {
  const leaf = { path: 'label', type: 'INT64', maxLevel: 0, repeated: false } as const;
  const body = new Uint8Array(80).fill(1);
  const page = (count: number, rows: number) =>
    decodePage(
      new Map<number, number | Map<number, number>>([
        [1, 0],
        [
          5,
          new Map([
            [1, count],
            [2, 0],
          ]),
        ],
      ]),
      body,
      80,
      0,
      leaf,
      rows,
      undefined,
    );
  expect(page(10, 10)?.values).toHaveLength(10);
  expect(page(3, 10)?.values).toHaveLength(3);
  // Values beyond the column would be written over the images of the next row group.
  for (const count of [0, -1, 11, 2 ** 31, 2 ** 50]) expect(() => page(count, 10), `${count}`).toThrow(/1 to 10 values/);
  // Within the limit, but not in the page.
  expect(() => page(11, 20)).toThrow(/11 values/);
});
