import { inflateSync } from 'fflate';
import { crc32 } from './checksums';
import { FormatError } from './formatError';

/** Deflate cannot do better than this. */
const MAX_RATIO = 1032;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_DIRECTORY = 128 << 20;
const utf8 = new TextDecoder();

/** A file inside an archive. */
export interface ZipEntry {
  /** Full path inside the archive, with slashes. */
  readonly name: string;
  /** Unpacked bytes. */
  readonly size: number;
  readonly packed: number;
  readonly method: number;
  readonly crc: number;
  /** Where its local header is. */
  readonly at: number;
}

/** Bounds on what an archive may hold. */
export interface ZipLimits {
  readonly entries: number;
  /** Bytes of one file, unpacked. */
  readonly size: number;
  /** Bytes of all files, unpacked. */
  readonly total: number;
}

const damaged = (expected: string, found: string) => new FormatError(expected, found, 'The archive is damaged: get it again.');
const read = async (blob: Blob, start: number, end: number) => new DataView(await blob.slice(start, end).arrayBuffer());
/** A 64-bit number; beyond 2^53 it is past the end of any file anyway. */
const u64 = (view: DataView, at: number) => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

/**
 * Reads the directory of a zip archive (APPNOTE 6.3, with ZIP64) and checks it against `limits`, before anything is unpacked. Folders
 * are left out. Refused: names that point outside the archive, encrypted entries, and methods other than store and deflate.
 * Errors: FormatError.
 */
export async function openZip(blob: Blob, limits: ZipLimits): Promise<ZipEntry[]> {
  const { start, length, count } = await findDirectory(blob);
  if (count > limits.entries) throw new FormatError(`at most ${limits.entries} files in the archive`, `${count}`);
  if (start + length > blob.size || length > MAX_DIRECTORY || length < count * 46)
    throw damaged(`a directory within the archive's ${blob.size} bytes`, `one of ${length} bytes at ${start}`);
  const view = await read(blob, start, start + length);
  const entries: ZipEntry[] = [];
  let at = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL) throw damaged(`${count} entries in the directory`, `${i}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > view.byteLength) throw damaged(`${count} entries in the directory`, `${i}`);
    const name = utf8.decode(new Uint8Array(view.buffer, at + 46, nameLength)).replaceAll('\\', '/');
    if (name.startsWith('/') || /^[a-z]:/i.test(name) || name.split('/').includes('..') || name.includes('\0'))
      throw new FormatError(
        'names inside the archive',
        `"${name.slice(0, 120)}"`,
        'Do not use this archive: its names point outside of it.',
      );
    const entry = { name, method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true), ...sizesOf(view, at, nameLength) };
    at = next;
    if (name.endsWith('/')) continue;
    entries.push(entry);
    total += entry.size;
    if (total > limits.total) throw new FormatError(`at most ${limits.total} bytes in the archive`, 'more');
  }
  return entries;
}

async function findDirectory(blob: Blob): Promise<{ start: number; length: number; count: number }> {
  const from = Math.max(0, blob.size - 65_557);
  const tail = await read(blob, from, blob.size);
  // The comment at the end may itself look like the mark, so the one whose comment ends with the file counts.
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || at + 22 + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
    const end = { count: tail.getUint16(at + 10, true), length: tail.getUint32(at + 12, true), start: tail.getUint32(at + 16, true) };
    if (end.count !== 0xffff && end.length !== 0xffffffff && end.start !== 0xffffffff) return end;
    if (at < 20 || tail.getUint32(at - 20, true) !== LOCATOR64) return end;
    const where = u64(tail, at - 12);
    if (where + 56 > blob.size) throw damaged(`a directory within the archive's ${blob.size} bytes`, `one at ${where}`);
    const wide = await read(blob, where, where + 56);
    if (wide.getUint32(0, true) !== END64) throw damaged('the end of a ZIP64 directory', 'other bytes');
    return { count: u64(wide, 32), length: u64(wide, 40), start: u64(wide, 48) };
  }
  throw damaged('a zip archive with its directory at the end', 'none: it is cut short or damaged');
}

/** Sizes and place of an entry; those that do not fit 32 bits are in its ZIP64 attribute. */
function sizesOf(view: DataView, at: number, nameLength: number): { size: number; packed: number; at: number } {
  const fields = { size: view.getUint32(at + 24, true), packed: view.getUint32(at + 20, true), at: view.getUint32(at + 42, true) };
  if (fields.size !== 0xffffffff && fields.packed !== 0xffffffff && fields.at !== 0xffffffff) return fields;
  const end = at + 46 + nameLength + view.getUint16(at + 30, true);
  for (let p = at + 46 + nameLength; p + 4 <= end;) {
    const length = view.getUint16(p + 2, true);
    if (view.getUint16(p, true) === 1) {
      let q = p + 4;
      for (const key of ['size', 'packed', 'at'] as const) {
        if (fields[key] !== 0xffffffff) continue;
        if (q + 8 > Math.min(end, p + 4 + length)) throw damaged('ZIP64 sizes', 'too few of them');
        fields[key] = u64(view, q);
        q += 8;
      }
    }
    p += 4 + length;
  }
  return fields;
}

/**
 * Unpacks one file; its length and CRC-32 are checked. `maxSize` bounds it, whatever the directory said. Errors: FormatError.
 */
export async function unzip(blob: Blob, entry: ZipEntry, maxSize: number): Promise<Uint8Array<ArrayBuffer>> {
  const { name, size, packed, method } = entry;
  const short = name.slice(-120);
  if (method !== 0 && method !== 8) throw new FormatError('files that are stored or deflated', `${short} with method ${method}`);
  if (size > maxSize) throw new FormatError(`files of at most ${maxSize} bytes`, `${short} of ${size} bytes`);
  if (size > packed * MAX_RATIO + 64) throw damaged('a plausible size', `${short}: ${size} bytes from ${packed}`);
  if (entry.at + 30 > blob.size) throw damaged(`a file within the archive's ${blob.size} bytes`, `${short} at ${entry.at}`);
  const local = await read(blob, entry.at, entry.at + 30);
  if (local.getUint32(0, true) !== LOCAL) throw damaged(`${short} where the directory says`, 'other bytes');
  if (local.getUint16(6, true) & 1) throw new FormatError('files without a password', `${short} with one`);
  const start = entry.at + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + packed > blob.size) throw damaged(`a file within the archive's ${blob.size} bytes`, `${short} up to ${start + packed}`);
  const bytes = new Uint8Array(await blob.slice(start, start + packed).arrayBuffer());
  const out = method === 0 ? bytes : inflate(bytes, size, short);
  if (out.length !== size) throw damaged(`${size} bytes in ${short}`, `${out.length}`);
  const sum = crc32(out);
  if (sum !== entry.crc) throw damaged(`CRC ${entry.crc.toString(16)} of ${short}`, sum.toString(16));
  return out;
}

function inflate(bytes: Uint8Array, size: number, name: string): Uint8Array<ArrayBuffer> {
  // One byte over: output that is too long shows as a full buffer.
  const room = new Uint8Array(size + 1);
  try {
    return inflateSync(bytes, { out: room });
  } catch (error) {
    throw damaged(`compressed data in ${name}`, error instanceof Error ? error.message : 'none');
  }
}
