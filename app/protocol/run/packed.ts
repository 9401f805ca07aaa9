/** Bytes that are not what they should be; the message says what is wrong. */
export class PackedError extends Error {
  override name = 'PackedError';
}

/** Steps of a number's code that double it: 0.14 % at most are lost. */
const FINE = 256;
/** Powers of two below one that have a code of their own; what is smaller counts as zero. */
const SMALLEST = 200;
const LARGEST = 1100;
/** Code of what is not a number, or not finite. */
const NO_NUMBER = 2 ** 26;

const zigzag = (x: number): number => (x < 0 ? -2 * x - 1 : 2 * x);
const unzigzag = (x: number): number => (x % 2 === 1 ? -(x + 1) / 2 : x / 2);

/** A number as a whole one by its logarithm; 0 stays 0. `levels` codes double it. */
function codeOf(x: number, levels: number): number {
  if (!Number.isFinite(x)) return NO_NUMBER;
  const power = Math.log2(Math.abs(x));
  return power < -SMALLEST ? 0 : Math.sign(x) * (Math.round((power + SMALLEST) * levels) + 1);
}
function numberOf(code: number, levels: number): number {
  if (code === NO_NUMBER) return NaN;
  if (code === 0) return 0;
  const power = (Math.abs(code) - 1) / levels - SMALLEST;
  if (power > LARGEST) throw new PackedError('it holds a number that is too large');
  return Math.sign(code) * 2 ** power;
}

/** Writes numbers and words as few bytes. */
export class Writer {
  private readonly out: number[] = [];

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.out);
  }
  byte(x: number): void {
    this.out.push(x & 255);
  }
  /** A whole number from 0 on. */
  whole(x: number): void {
    let rest = Math.max(0, Math.round(x));
    while (rest >= 128) {
      this.out.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.out.push(rest);
  }
  signed(x: number): void {
    this.whole(zigzag(Math.round(x)));
  }
  /** Ten digits of a share. */
  share(x: number): void {
    this.whole(x * 1e6);
  }
  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.whole(bytes.length);
    for (const x of bytes) this.out.push(x);
  }
  exact(x: number): void {
    this.out.push(...new Uint8Array(Float64Array.of(x).buffer));
  }
  number(x: number): void {
    this.signed(codeOf(x, FINE));
  }
  /** Numbers of which neighbours are alike. */
  numbers(values: ArrayLike<number>, levels = FINE): void {
    let before = 0;
    for (let i = 0; i < values.length; i++) {
      const code = codeOf(values[i]!, levels);
      this.signed(code - before);
      before = code;
    }
  }
  /** Whole numbers that ascend. */
  steps(values: ArrayLike<number>): void {
    let before = 0;
    for (let i = 0; i < values.length; i++) {
      this.whole(values[i]! - before);
      before = values[i]!;
    }
  }
}

/** Reads what a `Writer` wrote. Every method throws PackedError where the bytes end, or do not hold what is read. */
export class Reader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  byte(): number {
    const x = this.bytes[this.at++];
    if (x === undefined) throw new PackedError('it ends too early');
    return x;
  }
  whole(max = Number.MAX_SAFE_INTEGER): number {
    let x = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      x += (byte % 128) * scale;
      if (byte < 128) break;
      scale *= 128;
      if (scale > 2 ** 53) throw new PackedError('it holds a number that is too large');
    }
    if (x > max) throw new PackedError(`it holds ${x} where at most ${max} is possible`);
    return x;
  }
  signed(): number {
    return unzigzag(this.whole());
  }
  share(max = 1): number {
    return this.whole(max * 1e6) / 1e6;
  }
  /** How many things follow; each takes a byte at least. */
  count(max: number): number {
    const n = this.whole(max);
    if (n > this.bytes.length - this.at) throw new PackedError('it ends too early');
    return n;
  }
  flag(): boolean {
    const x = this.byte();
    if (x > 1) throw new PackedError('a yes or no is neither');
    return x === 1;
  }
  choice<T>(from: readonly T[]): T {
    return from[this.whole(from.length - 1)]!;
  }
  text(max = 300): string {
    const n = this.count(max * 4);
    const bytes = this.bytes.subarray(this.at, this.at + n);
    this.at += n;
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      if (text.length <= max) return text;
    } catch {
      // told below
    }
    throw new PackedError('a name in it is none');
  }
  exact(): number {
    const bytes = Uint8Array.from({ length: 8 }, () => this.byte());
    return new Float64Array(bytes.buffer)[0]!;
  }
  number(): number {
    return numberOf(this.signed(), FINE);
  }
  numbers(n: number, levels = FINE): Float32Array {
    const out = new Float32Array(n);
    let code = 0;
    for (let i = 0; i < n; i++) {
      code += this.signed();
      out[i] = numberOf(code, levels);
    }
    return out;
  }
  /** @throws PackedError unless each is at least `apart` above the one before */
  steps(n: number, apart: 0 | 1): Float64Array {
    const out = new Float64Array(n);
    let before = 0;
    for (let i = 0; i < n; i++) {
      const by = this.whole(2 ** 40);
      if (i > 0 && by < apart) throw new PackedError('its steps do not ascend');
      before += by;
      out[i] = before;
    }
    return out;
  }
  end(): void {
    if (this.at !== this.bytes.length) throw new PackedError(`${this.bytes.length - this.at} bytes are left over`);
  }
}

/** CRC-32 of bytes. */
export function checksum(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
