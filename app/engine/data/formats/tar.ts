import { FormatError } from './formatError';

const BLOCK = 512;
/** A long name or a table of attributes, which is all that is kept in memory. */
const MAX_ATTRIBUTES = 1 << 20;
const utf8 = new TextDecoder();

export interface TarEntry {
  /** Full path inside the archive. */
  readonly name: string;
  readonly size: number;
}

/** Takes the bytes of one entry as they arrive. */
export interface TarSink {
  write(bytes: Uint8Array): void;
  end(): void;
}

const text = (bytes: Uint8Array) => {
  const zero = bytes.indexOf(0);
  return utf8.decode(zero < 0 ? bytes : bytes.subarray(0, zero));
};
const damaged = (expected: string, found: string) => new FormatError(expected, found, 'The archive is damaged: get it again.');

/** Octal digits, or GNU's base 256 for sizes of 8 GiB and more; NaN when it is neither. */
function numeric(field: Uint8Array): number {
  if ((field[0] ?? 0) & 0x80) {
    let n = (field[0] as number) & 0x7f;
    for (const byte of field.subarray(1)) n = n * 256 + byte;
    return n;
  }
  const digits = text(field).trim();
  return /^[0-7]*$/.test(digits) ? (digits === '' ? 0 : parseInt(digits, 8)) : NaN;
}

/** True when the first 512 bytes are a tar header: their sum is the one written inside. Old tars summed signed bytes. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK) return false;
  const wanted = numeric(block.subarray(148, 156));
  let sum = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : (block[i] as number);
    sum += byte;
    signed += (byte << 24) >> 24;
  }
  return wanted > 256 && (wanted === sum || wanted === signed);
}

/**
 * Reads a tar archive as it arrives (POSIX ustar, with the pax and GNU extensions for long names and sizes). `onEntry` is called for every regular
 * file and returns a sink, or null to skip it. Entries of more than `maxSize` bytes, and names that point outside
 * the archive, are refused. Errors: FormatError.
 */
export class TarReader {
  private readonly block = new Uint8Array(BLOCK);
  private filled = 0;
  private remaining = 0;
  private padding = 0;
  private sink: TarSink | null = null;
  private name = '';
  private attributes: { bytes: Uint8Array; at: number; kind: string } | undefined;
  private nextName: string | undefined;
  private nextSize: number | undefined;
  private entries = 0;
  private finished = false;

  constructor(
    private readonly onEntry: (entry: TarEntry) => TarSink | null,
    private readonly maxSize: number,
  ) {}

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.finished) {
      if (this.remaining > 0) {
        const n = Math.min(this.remaining, bytes.length - at);
        this.body(bytes.subarray(at, at + n));
        this.remaining -= n;
        at += n;
        if (this.remaining === 0) this.endEntry();
      } else if (this.padding > 0) {
        const n = Math.min(this.padding, bytes.length - at);
        this.padding -= n;
        at += n;
      } else {
        const n = Math.min(BLOCK - this.filled, bytes.length - at);
        this.block.set(bytes.subarray(at, at + n), this.filled);
        this.filled += n;
        at += n;
        if (this.filled === BLOCK) {
          this.filled = 0;
          this.header();
        }
      }
    }
  }

  /** To be called when no more bytes come. */
  end(): void {
    if (this.remaining > 0) throw damaged('a complete archive', `one that ends ${this.remaining} bytes before the end of ${this.name}`);
    if (this.entries === 0 && !this.finished) throw new FormatError('a tar archive', this.filled > 0 ? 'a few bytes' : 'nothing');
    // Without this, an archive that was cut between two batches would pass for a smaller data set.
    if (!this.finished)
      throw damaged('a complete archive', `one that ends after ${this.name} without the block of zeros that ends archives`);
  }

  private body(bytes: Uint8Array): void {
    if (this.attributes) {
      this.attributes.bytes.set(bytes, this.attributes.at);
      this.attributes.at += bytes.length;
    } else {
      this.sink?.write(bytes);
    }
  }

  private endEntry(): void {
    const attributes = this.attributes;
    if (attributes) {
      this.attributes = undefined;
      if (attributes.kind === 'L') this.nextName = text(attributes.bytes);
      if (attributes.kind === 'x') this.pax(attributes.bytes);
    }
    this.sink?.end();
    this.sink = null;
  }

  private header(): void {
    const b = this.block;
    if (b.every((byte) => byte === 0)) {
      // One block of zeros ends the archive (a second one follows).
      this.finished = this.entries > 0;
      if (!this.finished) throw new FormatError('a tar archive', 'zeros');
      return;
    }
    if (!isTarHeader(b)) throw damaged('a tar header', this.entries > 0 ? `other bytes after ${this.name}` : 'other bytes');
    const kind = String.fromCharCode(b[156] as number);
    const size = this.nextSize ?? numeric(b.subarray(124, 136));
    if (!Number.isInteger(size) || size < 0) throw damaged('a size in the header', 'something else');
    const prefix = text(b.subarray(257, 262)) === 'ustar' && b[262] === 0 ? text(b.subarray(345, 500)) : '';
    const short = text(b.subarray(0, 100));
    const name = this.nextName ?? (prefix ? `${prefix}/${short}` : short);
    this.name = name;
    this.remaining = size;
    this.padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.entries++;
    if (kind === 'x' || kind === 'g' || kind === 'L' || kind === 'K') {
      if (size > MAX_ATTRIBUTES) throw damaged('a short table of attributes', `${size} bytes`);
      this.attributes = { bytes: new Uint8Array(size), at: 0, kind };
      if (size === 0) this.endEntry();
      return;
    }
    this.nextName = undefined;
    this.nextSize = undefined;
    if (name.startsWith('/') || /^[a-z]:/i.test(name) || name.split(/[/\\]/).includes('..')) {
      throw new FormatError(
        'names inside the archive',
        `"${name.slice(0, 120)}"`,
        'Do not use this archive: its names point outside of it.',
      );
    }
    if (size > this.maxSize) throw new FormatError(`entries of at most ${this.maxSize} bytes`, `${name} of ${size} bytes`);
    // Links, folders and devices have no content of their own, whatever their size field says.
    if (kind >= '1' && kind <= '6') {
      this.remaining = 0;
      this.padding = 0;
      return;
    }
    if (kind === '0' || kind === '\0' || kind === '7') {
      this.sink = this.onEntry({ name, size });
      if (size === 0) this.endEntry();
    }
  }

  /** Records "length key=value\n"; only names and sizes matter here. */
  private pax(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const space = bytes.indexOf(32, at);
      const length = space < 0 ? NaN : Number(utf8.decode(bytes.subarray(at, space)));
      if (!Number.isInteger(length) || length <= space - at || at + length > bytes.length) {
        throw damaged('a table of attributes', 'something else');
      }
      const record = utf8.decode(bytes.subarray(space + 1, at + length - 1));
      const equals = record.indexOf('=');
      const key = record.slice(0, equals);
      const value = record.slice(equals + 1);
      if (key === 'path') this.nextName = value;
      if (key === 'size') {
        const size = Number(value);
        if (!Number.isInteger(size) || size < 0) throw damaged('a size in whole bytes', `"${value.slice(0, 20)}"`);
        this.nextSize = size;
      }
      at += length;
    }
  }
}
