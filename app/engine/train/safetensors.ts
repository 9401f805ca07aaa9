/** The safetensors format: 8 bytes header length, JSON header, then the tensors' little-endian bytes. */

export type TensorData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor to be written; the type of its array is the type in the file. */
export interface TensorToWrite {
  readonly shape: readonly number[];
  readonly data: TensorData;
}
export interface Tensor extends TensorToWrite {
  readonly data: Float32Array;
}

/** A tensor as it lies in a file. `bytes` is a view on the file, not aligned; `floatsOf` and `doublesOf` decode it. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Everything behind the header. */
  readonly data: Uint8Array;
}

/** A file that is not what it should be; the message names what is wrong. */
export class TensorFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TensorFileError';
  }
}

const MAX_HEADER = 100_000_000;
/** Bytes of one element, of every type that the format knows. */
const WIDTHS: Readonly<Record<string, number>> = {
  ...{ F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2 },
  ...{ F8_E4M3: 1, F8_E5M2: 1, I8: 1, U8: 1, BOOL: 1 },
};

function dtypeOf(data: TensorData): string {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof Uint32Array ? 'U32' : 'U8';
}

const asBytes = ({ buffer, byteOffset, byteLength }: TensorData): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/**
 * A file in pieces that lie one behind the other: the header, padded with spaces so that the data starts 8-byte aligned, then
 * each tensor's own bytes, not copied. Tensors keep the given order, so put wide types first.
 */
export function safetensorsPieces(
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer>[] {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  return [head, ...Array.from(tensors.values(), ({ data }) => asBytes(data))];
}

/** The pieces as one array. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** `safetensorsPieces` as one array. */
export const writeSafetensors = (
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> => joined(safetensorsPieces(tensors, metadata));

interface Entry {
  dtype?: unknown;
  shape?: unknown;
  data_offsets?: unknown;
}

/** Length of the JSON header. @throws TensorFileError when the first 8 bytes cannot be one of a file of `size` bytes */
export function headerLength(first: Uint8Array, size: number): number {
  if (size < 8 || first.length < 8) throw new TensorFileError(`A safetensors file has at least 8 bytes; this one has ${size}.`);
  const length = new DataView(first.buffer, first.byteOffset, first.byteLength).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER) || Number(length) + 8 > size)
    throw new TensorFileError(
      `The header is said to be ${length} bytes long, and the file has ${size}; it is not safetensors, or it is cut off.`,
    );
  return Number(length);
}

/** The header as an object. @throws TensorFileError */
export function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new TensorFileError('The header is not JSON, so this is not a safetensors file.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new TensorFileError('The header is not a JSON object.');
  return header as Record<string, unknown>;
}

/** The texts of a header's metadata. @throws TensorFileError when it is not a table of texts */
export function metadataOf(header: Record<string, unknown>): Map<string, string> {
  const found: unknown = Object.hasOwn(header, '__metadata__') ? header.__metadata__ : {};
  if (typeof found !== 'object' || found === null || Array.isArray(found) || !Object.values(found).every((x) => typeof x === 'string'))
    throw new TensorFileError('The metadata of the header are not a table of texts.');
  return new Map(Object.entries(found as Record<string, string>));
}

/** Reads a file of tensors of any type without copying or decoding them. @throws TensorFileError for anything malformed; never reads out of bounds. */
export function openSafetensors(bytes: Uint8Array): TensorFile {
  const start = 8 + headerLength(bytes.subarray(0, 8), bytes.length);
  const header = parseHeader(bytes.subarray(8, start));
  const data = bytes.subarray(start);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of Object.entries(header as Record<string, Entry | null>)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: range } = value ?? {};
    if (!Array.isArray(shape) || shape.length > 8 || !shape.every((d) => Number.isSafeInteger(d) && (d as number) >= 0))
      throw new TensorFileError(`${name} has no valid shape.`);
    if (!Array.isArray(range) || range.length !== 2 || !range.every((d) => Number.isSafeInteger(d)))
      throw new TensorFileError(`${name} has no valid data_offsets.`);
    if (typeof dtype !== 'string' || !Object.hasOwn(WIDTHS, dtype))
      throw new TensorFileError(
        typeof dtype === 'string' ? `${name} is of the unknown type ${dtype.slice(0, 20)}.` : `${name} has no type.`,
      );
    const [from, to] = range as [number, number];
    const expected = (shape as number[]).reduce((a, b) => a * b, 1) * WIDTHS[dtype]!;
    if (from < 0 || to < from || to > data.length || to - from !== expected)
      throw new TensorFileError(`${name} should take ${expected} bytes at ${from}–${to}, and the file has ${data.length} bytes of data.`);
    tensors.set(name, { dtype, shape: shape as number[], bytes: data.subarray(from, to) });
  }
  return { tensors, metadata: metadataOf(header), data };
}

/** The tensor as float32: F32 as it is, F16 and BF16 widened, F64 rounded. @throws TensorFileError for other types */
export function floatsOf(name: string, { dtype, bytes }: StoredTensor): Float32Array<ArrayBuffer> {
  const copy = bytes.slice().buffer;
  switch (dtype) {
    case 'F32':
      return new Float32Array(copy);
    case 'F64':
      return Float32Array.from(new Float64Array(copy));
    case 'F16':
      return widenHalf(new Uint16Array(copy));
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(copy), (half) => half << 16).buffer);
    default:
      throw new TensorFileError(`${name} is of type ${dtype}; F32, F16, BF16 and F64 are read.`);
  }
}

/** A tensor of type F64. @throws TensorFileError for other types */
export function doublesOf(name: string, { dtype, bytes }: StoredTensor): Float64Array<ArrayBuffer> {
  if (dtype !== 'F64') throw new TensorFileError(`${name} is of type ${dtype}; F64 was expected.`);
  return new Float64Array(bytes.slice().buffer);
}

/** Every tensor of a file as float32. @throws TensorFileError naming one that is no floating point */
export const floatTensors = ({ tensors }: TensorFile): Map<string, Tensor> =>
  new Map(Array.from(tensors, ([name, tensor]) => [name, { shape: tensor.shape, data: floatsOf(name, tensor) }]));

/** Reads a file whose tensors are all floating point, as float32. @throws TensorFileError */
export const readSafetensors = (bytes: Uint8Array): Map<string, Tensor> => floatTensors(openSafetensors(bytes));

function widenHalf(half: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(half, (h) => {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
