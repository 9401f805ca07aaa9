import type { Tensor } from '../../app/engine/train/safetensors';

/** A safetensors file of the tensors in half precision, rounded to the nearest. */
export function halfFile(tensors: ReadonlyMap<string, Tensor>, dtype: 'F16' | 'BF16'): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { shape, data }] of tensors) header[name] = { dtype, shape, data_offsets: [at, (at += data.length * 2)] };
  const head = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + head.length + at);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  out.set(head, 8);
  let byte = 8 + head.length;
  for (const { data } of tensors.values())
    for (const x of data) {
      view.setUint16(byte, dtype === 'F16' ? half(x) : bfloat(x), true);
      byte += 2;
    }
  return out;
}

const bits = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0]!;
const bfloat = (x: number): number => (bits(x) + 0x8000) >>> 16;

export function half(x: number): number {
  const sign = Math.sign(x) < 0 ? 0x8000 : 0;
  const size = Math.abs(x);
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}
