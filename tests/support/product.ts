import type { MatmulHalves } from '../../kernels/matmul/matmul';
import type { View } from '../../app/engine/gpu/buffers';
import type { Gpu } from '../../app/engine/gpu/device';
import { Recorder } from '../../app/engine/gpu/recorder';
import { recordMatmul, type MatmulArgs, type MatmulTuning } from '../../app/engine/ops/matmul';
import { matmulReference, outputLayout, type MatmulCase, type MatmulInputs } from '../reference/matmul';
import { uniform } from './gpu';
import { packHalves, unpackHalves } from './halves';

/** A tuning that leaves no choice: one variant, split or not. */
export function only(id: string, fill = 0): MatmulTuning {
  const rates = { small: { [id]: 1 }, large: { [id]: 1 } };
  return { version: 1, rates: { nn: rates, nt: rates, tn: rates }, fill };
}

export interface ProductOptions {
  bias?: boolean;
  gelu?: boolean;
  residual?: boolean;
  accumulate?: boolean;
  scratch?: number;
  halves?: MatmulHalves;
  /** Both operands are numbers of half precision, however they are stored. */
  rounded?: boolean;
}

/** Runs one product on seeded numbers in [-1, 1) and returns it with the float64 one and what each value may differ by. */
export async function product(g: Gpu, tuning: MatmulTuning, c: MatmulCase, o: ProductOptions = {}, runs = 1) {
  const { m, n, k, batch = 1, strideA = m * k, strideB = k * n } = c;
  const { strideOut, size } = outputLayout(c);
  const { halves = {} } = o;
  const stored = (data: Float32Array, half: boolean | undefined) => (half || o.rounded ? unpackHalves(packHalves(data)) : data);
  const inputs: MatmulInputs = {
    a: stored(uniform((batch - 1) * strideA + m * k, 1), halves.a),
    b: stored(uniform((batch - 1) * strideB + k * n, 2), halves.b),
    bias: o.bias ? uniform(c.rowOut === undefined ? n : (batch - 1) * strideOut + n, 3) : undefined,
    residual: o.residual ? uniform(size, 4) : undefined,
    before: halves.out ? unpackHalves(packHalves(uniform(size, 5))) : uniform(size, 5),
    gelu: o.gelu,
    accumulate: o.accumulate,
  };
  const up = (label: string, data: ArrayLike<number> | undefined, half = false) =>
    data && g.upload(label, half ? packHalves(data) : (data as Float32Array));
  const a = up('a', inputs.a, halves.a)!;
  const b = up('b', inputs.b, halves.b)!;
  const views = { a, b, bias: up('bias', inputs.bias), residual: up('residual', inputs.residual) };
  const bytes = (half: boolean | undefined) => size * (half ? 2 : 4);
  const read = async (view: View, half: boolean | undefined) =>
    (half ? unpackHalves(new Uint16Array(await g.read(view))) : await g.readFloats(view)).slice(0, size);
  const pre = o.gelu ? g.buffers.allocate('pre', bytes(halves.pre)) : undefined;
  const scratch = o.scratch ? g.buffers.allocate('scratch', o.scratch) : undefined;
  const out = g.buffers.allocate('out', bytes(halves.out));
  // The views end where the data end, as bound in the engine.
  const exact = { ...out, size: bytes(halves.out) };
  const args: MatmulArgs = { ...c, ...views, out: exact, gelu: pre, scratch, accumulate: o.accumulate, halves: o.halves };
  const recorder = new Recorder(g, 'test');
  recordMatmul(recorder, tuning, args);
  const program = await recorder.build();
  const results: Float32Array[] = [];
  for (let i = 0; i < runs; i++) {
    g.write(out, halves.out ? packHalves(inputs.before!) : (inputs.before as Float32Array));
    program.run();
    results.push(await read(out, halves.out));
  }
  const gotPre = pre && (await read(pre, halves.pre));
  program.dispose();
  for (const view of [out, pre, scratch, ...Object.values(views)]) if (view) g.buffers.free(view);
  return { want: matmulReference(c, inputs), got: results[0]!, results, gotPre, dispatches: recorder.length };
}

// Sums of k products of numbers below 1: each fma rounds by at most half a unit of a partial sum below k,
// and in practice errors grow as sqrt(k); 1e-6 (1 + sqrt k) is ten times what is seen.
export const tolerance = (k: number): number => 1e-6 * (1 + Math.sqrt(k));
