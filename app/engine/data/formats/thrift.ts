import { FormatError } from './formatError';

/** A decoded struct: field number to value. */
export type Struct = Map<number, Value>;
export type Value = number | boolean | Uint8Array | Value[] | Struct;

const MAX_DEPTH = 24;
/** Far above the footer of any image data set, far below what would trouble memory. */
const MAX_VALUES = 4_000_000;

/** The bytes end inside a value; with more of the file at hand it might decode. */
export class ThriftEnd extends FormatError {}

const bad = (found: string) => new FormatError('Parquet metadata', found, 'The file is damaged: get it again.');

/**
 * Reads structs of Thrift's compact protocol, in which Parquet writes its metadata (thrift-compact-protocol.md). Depth,
 * count and number sizes are bounded; integers are read as doubles and refused beyond 2^53.
 */
export class ThriftReader {
  private values = 0;

  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  struct(depth = 0): Struct {
    if (depth > MAX_DEPTH) throw bad('structures nested too deeply');
    const out: Struct = new Map();
    let field = 0;
    for (;;) {
      const head = this.byte();
      if (head === 0) return out;
      const delta = head >> 4;
      field = delta > 0 ? field + delta : this.zigzag();
      out.set(field, this.value(head & 15, depth));
    }
  }

  private value(type: number, depth: number): Value {
    if (++this.values > MAX_VALUES) throw bad('too many values');
    switch (type) {
      case 1:
        return true;
      case 2:
        return false;
      case 3:
        return (this.byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return this.zigzag();
      case 7:
        this.take(8);
        return 0; // Doubles occur in no field that is used.
      case 8:
        return this.take(this.varint());
      case 9:
      case 10:
        return this.list(depth);
      case 12:
        return this.struct(depth + 1);
      default:
        throw bad(`a value of unknown type ${type}`);
    }
  }

  private list(depth: number): Value[] {
    const head = this.byte();
    const type = head & 15;
    const size = head >> 4 === 15 ? this.varint() : head >> 4;
    // Whatever size is claimed, every element takes at least a byte, so the loop ends with the data.
    const out: Value[] = [];
    for (let i = 0; i < size; i++) out.push(type === 1 || type === 2 ? this.byte() === 1 : this.value(type, depth + 1));
    return out;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new ThriftEnd('Parquet metadata', 'an early end');
    return byte;
  }

  private take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new ThriftEnd('Parquet metadata', 'an early end');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  private varint(): number {
    let out = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      out += (byte & 0x7f) * scale;
      if (out > Number.MAX_SAFE_INTEGER) throw bad('a number that is too large');
      if (byte < 0x80) return out;
      if (scale > 2 ** 63) throw bad('a number that is too long');
    }
  }

  private zigzag(): number {
    const n = this.varint();
    return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
  }
}

/** Field `id` as a number; `fallback` where the field is absent, an error where there is none. */
export function numberAt(s: Struct, id: number, fallback?: number): number {
  const v = s.get(id) ?? fallback;
  if (typeof v !== 'number') throw bad('a missing number');
  return v;
}

export function structAt(s: Struct, id: number): Struct {
  const v = s.get(id);
  if (!(v instanceof Map)) throw bad('a missing structure');
  return v;
}

/** Field `id` as a list of structs. */
export function structsAt(s: Struct, id: number): Struct[] {
  const v = s.get(id);
  if (!Array.isArray(v)) throw bad('a missing list');
  return v.map((x) => {
    if (!(x instanceof Map)) throw bad('a list of something else');
    return x;
  });
}

const utf8 = new TextDecoder();
export const textOf = (v: Value | undefined) => (v instanceof Uint8Array ? utf8.decode(v) : '');
