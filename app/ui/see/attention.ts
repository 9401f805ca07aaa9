import type { AttentionShape, Look } from '../../protocol/inspection';

/** One map over the image: a head of a layer, the mean over the layer's heads, or the rollout through all layers up to it. */
export interface AttentionMap {
  /** [side²], share of the attention that each patch gets. */
  readonly patches: Float32Array;
  /** Share that goes to the class token. */
  readonly toClass: number;
  /** Largest of `patches`. */
  readonly largest: number;
  /** e^H of the patches' shares among each other: over how many patches the attention spreads. */
  readonly spread: number;
}

/** The maps of one image, [layer][column]: the heads, their mean, and where it is known the rollout. */
export function attentionMaps(
  { attention, rollout }: Look,
  { layers, heads, tokens }: AttentionShape,
  count: number,
  image: number,
): AttentionMap[][] {
  return Array.from({ length: layers }, (_, l) => {
    const rows = Array.from({ length: heads }, (_, h) => {
      const at = ((l * count + image) * heads + h) * tokens;
      return attention.subarray(at, at + tokens);
    });
    const mean = Float32Array.from({ length: tokens }, (_, t) => rows.reduce((sum, row) => sum + row[t]!, 0) / heads);
    const rolled = rollout ? [rollout.subarray((l * count + image) * tokens, (l * count + image + 1) * tokens)] : [];
    return [...rows, mean, ...rolled].map(mapOf);
  });
}

function mapOf(row: Float32Array): AttentionMap {
  const patches = row.slice(1);
  const total = patches.reduce((a, b) => a + b, 0);
  let entropy = 0;
  for (const p of patches) if (p > 0 && total > 0) entropy -= (p / total) * Math.log(p / total);
  return { patches, toClass: row[0] ?? 0, largest: patches.reduce((a, b) => Math.max(a, b), 0), spread: Math.exp(entropy) };
}

/** Σ min(a, b) over two distributions: 1 where they are equal, 0 where they have nothing in common. */
export function overlap(a: AttentionMap, b: AttentionMap): number {
  let sum = Math.min(a.toClass, b.toClass);
  a.patches.forEach((v, i) => (sum += Math.min(v, b.patches[i]!)));
  return sum;
}
