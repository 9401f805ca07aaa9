import type { LoraOptions, LoraResult, LoritaOptions, LoritaResult, Matrix } from '../../protocol/messages';
import { Factorization } from '../factorization/factorization';
import { factorLayout, type ArenaTable, type FactorKind } from '../factorization/layout';
import { OwnedViews, slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Recorder, type Program } from '../gpu/recorder';
import { recordLinear, recordLinearBackward } from '../ops/linear';
import type { MatmulTuning } from '../ops/matmul';
import { columnSumScratch } from '../ops/reduce';

interface Layer {
  readonly x: Matrix;
  readonly outputs: number;
  readonly kind: FactorKind;
  readonly factors: readonly Matrix[];
  readonly bias?: Float32Array | undefined;
  readonly gradOut?: Matrix | undefined;
}

/** One factorized linear layer by itself: composed, run forward and backward as a training step does it. */
async function runLayer(gpu: Gpu, tuning: MatmulTuning, o: Layer) {
  const { x, outputs, kind, factors } = o;
  const [rows, inputs] = [x.rows, x.cols];
  const effective = tableOf([
    ['w.weight', [outputs, inputs]],
    ['w.bias', [outputs]],
  ]);
  const target = { name: 'w', offset: 0, rows: outputs, cols: inputs, rank: factors[0]!.cols };
  const layout = factorLayout(effective, [target], kind);
  const trained = layout?.trained ?? effective;
  const places = layout ? layout.matrices[0]!.factors : [{ offset: 0 }];
  const bias = trained.byName.get('w.bias')!;
  const owned = new OwnedViews(gpu.buffers);
  const make = (label: string, elements: number): View => owned.own(gpu.buffers.allocate(label, elements * 4));
  let factorization: Factorization | undefined;
  let program: Program | undefined;
  try {
    const params = make('layer.params', trained.total);
    const grads = make('layer.grads', trained.total);
    factors.forEach((f, i) => gpu.write(slice(params, places[i]!.offset, f.data.length), f.data));
    if (o.bias) gpu.write(slice(params, bias.offset, outputs), o.bias);
    factorization = layout && new Factorization(gpu, layout, { params, grads });
    const weights = factorization?.weights ?? params;
    const weightGrads = factorization?.weightGrads ?? grads;
    const part = (arena: View, name: string): View => {
      const e = effective.byName.get(name)!;
      return slice(arena, e.offset, e.length);
    };
    const input = owned.own(gpu.upload('layer.x', x.data));
    const dOut = make('layer.dOut', rows * outputs);
    if (o.gradOut) gpu.write(dOut, o.gradOut.data);
    const out = make('layer.y', rows * outputs);
    const dInput = make('layer.dx', rows * inputs);
    const scratch = make('layer.scratch', Math.max(64, columnSumScratch(rows, outputs)));
    const recorder = new Recorder(gpu, 'layer');
    factorization?.recordCompose(recorder);
    const shape = { rows, inputs, outputs };
    const weight = part(weights, 'w.weight');
    recordLinear(recorder, tuning, { ...shape, x: input, weight, bias: part(weights, 'w.bias'), out, scratch, label: 'layer' });
    recordLinearBackward(recorder, tuning, {
      ...shape,
      x: input,
      weight,
      dOut,
      dInput,
      dWeight: part(weightGrads, 'w.weight'),
      dBias: part(weightGrads, 'w.bias'),
      scratch,
      label: 'layer',
    });
    factorization?.recordGradients(recorder);
    program = await recorder.build();
    program.run();
    const [merged, y, dx, all] = await Promise.all([weight, out, dInput, grads].map((view) => gpu.readFloats(view)));
    return {
      merged: merged!.slice(0, outputs * inputs),
      y: y!.slice(0, rows * outputs),
      dx: dx!.slice(0, rows * inputs),
      dFactors: factors.map((f, i) => all!.slice(places[i]!.offset, places[i]!.offset + f.data.length)),
      dBias: all!.slice(bias.offset, bias.offset + outputs),
    };
  } finally {
    program?.dispose();
    factorization?.dispose();
    owned.dispose();
  }
}

function tableOf(shapes: readonly (readonly [string, readonly number[]])[]): ArenaTable {
  let total = 0;
  let count = 0;
  const entries = shapes.map(([name, shape]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const entry = { name, shape, offset: total, length };
    total += Math.ceil(length / 64) * 64;
    count += length;
    return entry;
  });
  return { entries, byName: new Map(entries.map((e) => [e.name, e])), total, count };
}

const expectShape = (name: string, m: Matrix | undefined, rows: number, cols: number): void => {
  if (m && (m.rows !== rows || m.cols !== cols)) throw new RangeError(`${name} is ${m.rows} × ${m.cols}; expected ${rows} × ${cols}.`);
};

/** @throws RangeError for factors that do not fit each other or x */
export function loritaLayer(gpu: Gpu, tuning: MatmulTuning, { x, factors, bias, gradOut }: LoritaOptions): Promise<LoritaResult> {
  const last = factors.at(-1);
  if (!last) throw new RangeError('factors must hold at least one matrix.');
  factors.forEach((f, i) => expectShape(`factors[${i}]`, f, f === last ? last.rows : x.cols, x.cols));
  if (bias && bias.length !== last.rows) throw new RangeError(`bias has ${bias.length} values; expected ${last.rows}.`);
  expectShape('gradOut', gradOut, x.rows, last.rows);
  return runLayer(gpu, tuning, { x, outputs: last.rows, kind: { kind: 'lorita', depth: factors.length }, factors, bias, gradOut });
}

/** @throws RangeError for factors that do not fit each other or x, or an alpha that is no positive number */
export async function loraLayer(gpu: Gpu, tuning: MatmulTuning, { x, a, b, alpha, gradOut }: LoraOptions): Promise<LoraResult> {
  expectShape('a', a, x.cols, a.cols);
  expectShape('b', b, a.cols, b.cols);
  expectShape('gradOut', gradOut, x.rows, b.cols);
  if (!(Number.isFinite(alpha) && alpha > 0)) throw new RangeError(`alpha is ${alpha}; expected a positive number.`);
  const layer = await runLayer(gpu, tuning, { x, outputs: b.cols, kind: { kind: 'lora', alpha }, factors: [a, b], gradOut });
  const { merged, y, dx, dFactors } = layer;
  return { merged, y, dx, dA: dFactors[0]!, dB: dFactors[1]! };
}
