import type { ParameterTable } from '../model/parameters';
import type { Experiment } from '../../protocol/experiment';
import type { CutChoice } from '../../protocol/truncation';
import { writeSafetensors, type Tensor } from './safetensors';

/** Every parameter of an arena under its name. */
export function tensorsOf(arena: Float32Array, { entries }: ParameterTable): Map<string, Tensor> {
  return new Map(entries.map(({ name, shape, offset, length }) => [name, { shape, data: arena.slice(offset, offset + length) }]));
}

/** The arena of a model from tensors by name. @throws Error naming the first tensor that is missing, of another shape, not finite or unknown */
export function arenaOf(tensors: ReadonlyMap<string, Tensor>, table: ParameterTable): Float32Array<ArrayBuffer> {
  const arena = new Float32Array(table.total);
  for (const { name, shape, offset, length } of table.entries) {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`The file has no tensor ${name} [${shape.join(', ')}].`);
    if (tensor.shape.join() !== shape.join())
      throw new Error(`${name} is [${tensor.shape.join(', ')}] in the file; the model needs [${shape.join(', ')}].`);
    const bad = tensor.data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) throw new Error(`${name} holds ${tensor.data[bad]} at ${bad}; only finite numbers can be used.`);
    arena.set(tensor.data.subarray(0, length), offset);
  }
  for (const name of tensors.keys())
    if (!table.byName.has(name)) throw new Error(`The file holds ${name}, which this model does not have.`);
  return arena;
}

/** A truncated model as a file: the factors' ranks, the cut, the step and the experiment are in its metadata. */
export function factoredFile(
  { tensors, ranks, step }: { tensors: ReadonlyMap<string, Tensor>; ranks: Readonly<Record<string, number>>; step: number },
  cut: CutChoice,
  experiment: Experiment,
): Uint8Array {
  return writeSafetensors(tensors, {
    format: 'pt',
    'q3r.factors': 'W = B A; A [rank, inputs], B [outputs, rank]; y = (x A^T) B^T + bias',
    'q3r.ranks': JSON.stringify(ranks),
    'q3r.cut': JSON.stringify(cut),
    'q3r.step': String(step),
    'q3r.experiment': JSON.stringify(experiment),
  });
}
