import { slice, type View } from '../../app/engine/gpu/buffers';
import type { Gpu } from '../../app/engine/gpu/device';
import { GUARD_BYTES } from '../../kernels/gradNorm/gradNorm';
import type { GoldenCase, GoldenTensor } from './golden';

export interface Place {
  readonly name: string;
  /** In elements. */
  readonly offset: number;
  readonly length: number;
  readonly cols: number;
}

const NAMES = ['plain', 'qkv', 'bias'];

/** The three tensors of the prescribed-gradient runs in one arena, each at a multiple of 64 elements as a binding wants it. */
export function goldenArena(gpu: Gpu, tensors: Map<string, GoldenTensor>) {
  const get = (name: string): GoldenTensor => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the golden file has no ${name}`);
    return tensor;
  };
  const places: Place[] = [];
  let elements = 0;
  for (const name of NAMES) {
    const { data, shape } = get(`start.${name}`);
    places.push({ name, offset: elements, length: data.length, cols: shape[1] ?? 1 });
    elements += Math.ceil(data.length / 64) * 64;
  }
  const params = gpu.buffers.allocate('params', elements * 4);
  const grads = gpu.buffers.allocate('grads', elements * 4);
  // Clip scale 1, not halted.
  const guard = gpu.upload('guard', Float32Array.of(0, 1, ...new Array<number>(GUARD_BYTES / 4 - 2).fill(0)));
  const write = (view: View, p: Place, data: Float32Array) => gpu.write(slice(view, p.offset, p.length), data);
  for (const p of places) write(params, p, get(`start.${p.name}`).data as Float32Array);
  return {
    places,
    elements,
    params,
    grads,
    guard,
    get,
    steps: get('grads.plain').shape[0]!,
    /** Puts the gradients of step t, counted from 1, into the arena. */
    prescribe(t: number): void {
      for (const p of places) {
        const all = get(`grads.${p.name}`).data as Float32Array;
        write(grads, p, all.subarray((t - 1) * p.length, t * p.length));
      }
    },
    /** Largest error of each stored tensor of step t, and what it may be. */
    async errors(spec: GoldenCase, t: number): Promise<{ key: string; error: number; atol: number }[]> {
      const all = await gpu.readFloats(params);
      return places.map((p) => {
        const key = `${spec.id}.step${t}.${p.name}`;
        const want = get(key).data;
        let error = 0;
        for (let i = 0; i < p.length; i++) {
          const d = Math.abs(all[p.offset + i]! - want[i]!);
          if (!(d <= error)) error = Number.isNaN(d) ? Infinity : d;
        }
        return { key, error, atol: spec.expected[key]!.atol };
      });
    },
  };
}
