import { FormatError } from './formatError';
import { decodePage, type PageValues } from './parquetPage';
import { numberAt, structAt, structsAt, textOf, ThriftEnd, ThriftReader, type Struct } from './thrift';

/** Statistics of 500 row groups take a few hundred kilobytes. */
const MAX_FOOTER = 32 << 20;
/** Some writers put a whole row group of 50,000 images into one page. */
const MAX_PAGE = 192 << 20;
const WINDOW = 4 << 20;
const TYPES = ['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY'] as const;
const CODECS = ['none', 'Snappy', 'gzip', 'LZO', 'Brotli', 'LZ4', 'Zstandard', 'LZ4'] as const;
/** Highest ratio each codec can reach, so that a false size is refused before memory is taken for it. */
const MAX_RATIO: Record<number, number> = { 0: 1, 1: 32, 2: 1100 };

export type ParquetType = (typeof TYPES)[number];

/** A leaf column of the schema. */
export interface Leaf {
  /** Dotted path, `img.bytes`. */
  readonly path: string;
  readonly type: ParquetType;
  /** Definition level of a value that is present; 0 where nulls are impossible. */
  readonly maxLevel: number;
  readonly repeated: boolean;
}

/** Where one column of one row group lies in the file. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly codec: number;
  readonly values: number;
}

export interface ParquetFile {
  readonly rows: number;
  readonly leaves: readonly Leaf[];
  readonly groups: readonly { readonly rows: number; readonly chunks: ReadonlyMap<string, Chunk> }[];
}

const damaged = (expected: string, found: string) => new FormatError(expected, found, 'The file is damaged: get it again.');

const read = async (blob: Blob, start: number, end: number) => new Uint8Array(await blob.slice(start, end).arrayBuffer());

/**
 * Reads the footer of a Parquet file (parquet-format, README.md): schema, row groups and where their columns lie. Files
 * of more than `maxRows` rows are refused. Nothing else of the file is read.
 */
export async function openParquet(blob: Blob, maxRows: number): Promise<ParquetFile> {
  if (blob.size < 12) throw damaged('a Parquet file', `${blob.size} bytes`);
  const tail = await read(blob, blob.size - 8, blob.size);
  if (textOf(tail.subarray(4)) !== 'PAR1')
    throw damaged('a Parquet file, which ends with "PAR1"', 'another ending: it is cut short or damaged');
  const footer = new DataView(tail.buffer).getUint32(0, true);
  if (footer > blob.size - 12 || footer > MAX_FOOTER)
    throw damaged(`a footer within the file's ${blob.size} bytes`, `one of ${footer} bytes`);
  const meta = new ThriftReader(await read(blob, blob.size - 8 - footer, blob.size - 8)).struct();
  const leaves = readSchema(structsAt(meta, 2));
  const rows = numberAt(meta, 3);
  if (!(rows >= 0 && rows <= maxRows)) throw new FormatError(`at most ${maxRows} rows`, `${rows}`);
  const groups = structsAt(meta, 4).map((g) => readGroup(g, blob.size));
  const sum = groups.reduce((n, g) => n + g.rows, 0);
  if (sum !== rows) throw damaged(`row groups of ${rows} rows in all`, `${sum}`);
  return { rows, leaves, groups };
}

/** Flattens the schema, which is listed depth first, into its leaves. */
function readSchema(elements: Struct[]): Leaf[] {
  const leaves: Leaf[] = [];
  let next = 1;
  const walk = (children: number, path: string[], level: number, repeated: boolean, depth: number) => {
    for (let i = 0; i < children; i++) {
      const element = elements[next++];
      if (!element || depth > 16) throw damaged('a complete schema', 'one that ends early');
      const repetition = numberAt(element, 3, 0);
      const here = [...path, textOf(element.get(4))];
      const inner = level + (repetition === 0 ? 0 : 1);
      const many = repeated || repetition === 2;
      const count = numberAt(element, 5, 0);
      if (count > 0) walk(count, here, inner, many, depth + 1);
      else leaves.push({ path: here.join('.'), type: TYPES[numberAt(element, 1, -1)] ?? 'INT96', maxLevel: inner, repeated: many });
    }
  };
  const root = elements[0];
  if (!root) throw damaged('a schema', 'none');
  walk(numberAt(root, 5, 0), [], 0, false, 0);
  return leaves;
}

function readGroup(group: Struct, size: number): ParquetFile['groups'][number] {
  const chunks = new Map<string, Chunk>();
  for (const column of structsAt(group, 1)) {
    const meta = structAt(column, 3);
    const path = meta.get(3);
    if (!Array.isArray(path)) throw damaged('column names', 'none');
    const data = numberAt(meta, 9);
    const dictionary = numberAt(meta, 11, 0);
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = start + numberAt(meta, 7);
    if (start < 4 || end < start || end > size) throw damaged(`columns within the file's ${size} bytes`, `one from ${start} to ${end}`);
    chunks.set(path.map(textOf).join('.'), { start, end, codec: numberAt(meta, 4), values: numberAt(meta, 5) });
  }
  return { rows: numberAt(group, 3), chunks };
}

/** The part of the file around the page being read, so that many small pages cost few reads. */
class Window {
  private bytes = new Uint8Array(0);
  private from = 0;

  constructor(
    private readonly blob: Blob,
    private readonly end: number,
  ) {}

  /** Bytes from `at` on: at least `length` of them unless the column ends. */
  async at(at: number, length: number): Promise<Uint8Array> {
    if (at < this.from || at + length > this.from + this.bytes.length) {
      this.bytes = await read(this.blob, at, Math.min(this.end, at + Math.max(length, WINDOW)));
      this.from = at;
    }
    return this.bytes.subarray(at - this.from);
  }
}

/**
 * Reads a column of one row group page by page. Yields one entry per row, null where the row has no value: bytes for
 * BYTE_ARRAY (views into a page, to be used before the next page is asked for), numbers for INT32 and INT64. Encodings:
 * PLAIN and dictionary; codecs: none, Snappy, gzip.
 */
export async function* readColumn(blob: Blob, chunk: Chunk, leaf: Leaf): AsyncGenerator<PageValues> {
  const ratio = MAX_RATIO[chunk.codec];
  if (ratio === undefined) {
    const found = CODECS[chunk.codec] ?? `codec ${chunk.codec}`;
    throw new FormatError('Parquet compressed with Snappy, gzip or not at all', found, 'Save the file with Snappy compression.');
  }
  const window = new Window(blob, chunk.end);
  let dictionary: PageValues | undefined;
  let at = chunk.start;
  let seen = 0;
  while (seen < chunk.values) {
    if (at >= chunk.end) throw damaged(`${chunk.values} values in column ${leaf.path}`, `${seen}`);
    const { header, length } = await readHeader(window, at, chunk.end);
    at += length;
    const compressed = numberAt(header, 3);
    const size = numberAt(header, 2);
    if (compressed < 0 || at + compressed > chunk.end) throw damaged(`a page within column ${leaf.path}`, `${compressed} bytes`);
    if (size < 0 || size > MAX_PAGE || size > compressed * ratio + 64)
      throw damaged('a page of a plausible size', `${size} bytes from ${compressed}`);
    const body = (await window.at(at, compressed)).subarray(0, compressed);
    if (body.length < compressed) throw damaged(`${compressed} bytes of a page`, `${body.length}`);
    at += compressed;
    const page = decodePage(header, body, size, chunk.codec, leaf, chunk.values - seen, dictionary);
    if (page?.dictionary) dictionary = page.values;
    else if (page) {
      seen += page.values.length;
      yield page.values;
    }
  }
}

async function readHeader(window: Window, at: number, end: number): Promise<{ header: Struct; length: number }> {
  // Headers may carry minima and maxima as long as an image, so one that does not fit is tried again with more bytes.
  for (let span = 1 << 16; ; span = WINDOW) {
    const reader = new ThriftReader(await window.at(at, Math.min(span, end - at)));
    try {
      return { header: reader.struct(), length: reader.at };
    } catch (error) {
      if (!(error instanceof ThriftEnd) || span >= WINDOW || end - at <= span) throw error;
    }
  }
}
