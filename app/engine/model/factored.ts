import { paddedRank } from '../../../kernels/truncation/truncation';
import { SvdBatch } from '../linalg/svdBatch';
import type { WeightMatrix } from './matrices';
import { linearLayers, stepFlops, type VitPlan } from './memory';

/** The rank at which two thin factors hold a share `fraction` of a matrix's parameters. */
export function rankOfFraction(fraction: number, { rows, cols }: Pick<WeightMatrix, 'rows' | 'cols'>): number {
  // In this order: the last bit of a product decides at whole numbers.
  const rank = Math.floor((fraction * cols * rows) / (cols + rows));
  return Math.min(rank, Math.min(rows, cols));
}

/** The smallest rank whose singular values (descending) hold a share `energy` of the sum of squares; 0 for a zero matrix. */
export function rankOfEnergy(energy: number, sigma: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < sigma.length; i++) total += sigma[i]! ** 2;
  let kept = 0;
  for (let r = 0; r < sigma.length; r++) {
    if (kept >= energy * total) return r;
    kept += sigma[r]! ** 2;
  }
  return sigma.length;
}

/** Parameters of the two factors of every matrix; biases not counted. At high ranks they can be more than the matrices' own. */
export const storedParameters = (matrices: readonly WeightMatrix[], ranks: readonly number[]): number =>
  matrices.reduce((sum, { rows, cols }, i) => sum + ranks[i]! * (rows + cols), 0);
/** Parameters of the matrices themselves. */
export const matrixParameters = (matrices: readonly WeightMatrix[]): number =>
  matrices.reduce((sum, { rows, cols }) => sum + rows * cols, 0);

/** One factored linear layer: a matrix, or Q, K and V side by side. All counts are elements. */
export interface FactoredLayer {
  /** The layer's parameter name without `.weight`. */
  readonly name: string;
  /** 1, or 3 for Q, K and V. */
  readonly parts: number;
  /** Index of its first matrix. */
  readonly first: number;
  readonly inputs: number;
  /** Of each part. */
  readonly outputs: number;
  /** Rows of each factor: min(inputs, outputs) rounded up to a multiple of four. */
  readonly padded: number;
  /** First element of the right factors [padded, inputs] and of the left ones [padded, outputs], and between those of two parts. */
  readonly right: { readonly at: number; readonly stride: number };
  readonly left: { readonly at: number; readonly stride: number };
}

/** Elements to which factors are aligned, so that they can be bound at 256 bytes. */
const ALIGNMENT = 64;
const PART = /^(.*)\.weight(?:\[\d\])?$/;

/** Places the thin factors of matrices in one arena; Q, K and V of a block are consecutive, not fused. */
export function factoredLayout(matrices: readonly WeightMatrix[]): { layers: readonly FactoredLayer[]; elements: number } {
  const layers: FactoredLayer[] = [];
  let at = 0;
  const take = (elements: number, parts: number): { at: number; stride: number } => {
    const stride = Math.ceil(elements / ALIGNMENT) * ALIGNMENT;
    const place = { at, stride };
    at += stride * parts;
    return place;
  };
  for (let first = 0; first < matrices.length;) {
    const { name, rows, cols } = matrices[first]!;
    const layer = PART.exec(name)?.[1] ?? name;
    let parts = 1;
    while (PART.exec(matrices[first + parts]?.name ?? '')?.[1] === layer) parts++;
    const padded = paddedRank(Math.min(rows, cols));
    const right = take(padded * cols, parts);
    const left = take(padded * rows, parts);
    layers.push({ name: layer, parts, first, inputs: cols, outputs: rows, padded, right, left });
    first += parts;
  }
  return { layers, elements: at };
}

/** Elements that the thin activations x rightᵀ of a batch take at most. */
export function thinElements(plan: VitPlan, layers: readonly FactoredLayer[]): number {
  const rows = new Map(linearLayers(plan).map(({ name, shape }) => [name, shape.rows]));
  return Math.max(0, ...layers.map(({ name, parts, padded }) => (rows.get(name) ?? 0) * parts * padded));
}

/** Floating-point operations of one image's forward pass in matrix products and attention; `ranks` for the factored model. */
export function imageFlops(plan: VitPlan, layers: readonly FactoredLayer[] = [], ranks: readonly number[] = []): number {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  let flops = stepFlops({ ...plan, training: false }).forward;
  for (const { name, shape } of linearLayers(plan)) {
    const layer = byName.get(name);
    if (!layer) continue;
    flops -= 2 * shape.rows * shape.inputs * shape.outputs;
    for (let i = 0; i < layer.parts; i++) flops += 2 * shape.rows * ranks[layer.first + i]! * (layer.inputs + layer.outputs);
  }
  return flops / plan.batch;
}

/**
 * Bytes on the GPU that a truncation of these matrices takes beside the run: a copy of all `elements` weights, the thin factors, the
 * decomposition (U, Σ, V and its workspace) and the thin activations; products split over k may take a little more.
 */
export function truncationBytes(matrices: readonly WeightMatrix[], elements: number, plan: VitPlan): number {
  if (matrices.length === 0) return 0;
  const { layers, elements: factors } = factoredLayout(matrices);
  return 4 * (elements + factors + thinElements(plan, layers)) + SvdBatch.bytesFor(matrices);
}
