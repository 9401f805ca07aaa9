/** The safetensors format: 8 bytes header length, JSON header, then the tensors' little-endian bytes. */

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A file that is not what it should be; the message names what is wrong. */
export class TensorFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TensorFileError';
  }
}

const MAX_HEADER = 100_000_000;

/** Writes float32 tensors in the given order; the header is padded with spaces so that the data starts 8-byte aligned. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let text = JSON.stringify(header);
  const encoder = new TextEncoder();
  while (encoder.encode(text).length % 8 !== 0) text += ' ';
  const head = encoder.encode(text);
  const out = new Uint8Array(8 + head.length + offset);
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true);
  out.set(head, 8);
  let at = 8 + head.length;
  for (const { data } of tensors.values()) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}

interface Entry {
  dtype?: unknown;
  shape?: unknown;
  data_offsets?: unknown;
}

/** Reads F32 tensors (F16 and BF16 are widened). @throws TensorFileError for anything malformed; never reads out of bounds. */
export function readSafetensors(bytes: Uint8Array): Map<string, Tensor> {
  if (bytes.length < 8) throw new TensorFileError(`A safetensors file has at least 8 bytes; this one has ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER) || Number(length) + 8 > bytes.length)
    throw new TensorFileError(
      `The header is said to be ${length} bytes long, and the file has ${bytes.length}; it is not safetensors, or it is cut off.`,
    );
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw new TensorFileError('The header is not JSON, so this is not a safetensors file.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new TensorFileError('The header is not a JSON object.');
  const out = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(header as Record<string, Entry | null>)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: range } = value ?? {};
    if (!Array.isArray(shape) || !shape.every((d) => Number.isSafeInteger(d) && (d as number) >= 0))
      throw new TensorFileError(`${name} has no valid shape.`);
    if (!Array.isArray(range) || range.length !== 2 || !range.every((d) => Number.isSafeInteger(d)))
      throw new TensorFileError(`${name} has no valid data_offsets.`);
    const [from, to] = range as [number, number];
    const count = (shape as number[]).reduce((a, b) => a * b, 1);
    const width = dtype === 'F32' ? 4 : dtype === 'F16' || dtype === 'BF16' ? 2 : 0;
    if (width === 0) throw new TensorFileError(`${name} is of type ${String(dtype)}; F32, F16 and BF16 are read.`);
    if (from < 0 || to < from || start + to > bytes.length || to - from !== count * width)
      throw new TensorFileError(
        `${name} should take ${count * width} bytes at ${from}–${to}, and the file has ${bytes.length - start} bytes of data.`,
      );
    out.set(name, { shape: shape as number[], data: decode(bytes.subarray(start + from, start + to), dtype as string, count) });
  }
  return out;
}

function decode(bytes: Uint8Array, dtype: string, count: number): Float32Array {
  const copy = bytes.slice().buffer;
  if (dtype === 'F32') return new Float32Array(copy);
  const half = new Uint16Array(copy);
  const out = new Float32Array(count);
  if (dtype === 'BF16') {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < count; i++) bits[i] = half[i]! << 16;
    return out;
  }
  for (let i = 0; i < count; i++) {
    const h = half[i]!;
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    out[i] =
      exponent === 0
        ? sign * fraction * 2 ** -24
        : exponent === 31
          ? fraction
            ? NaN
            : sign * Infinity
          : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}
