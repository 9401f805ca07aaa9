import type { ParameterTable } from '../model/parameters';
import type { Tensor } from './safetensors';

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
