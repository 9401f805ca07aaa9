import type { ArenaTable } from '../factorization/layout';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { countNonFinite } from '../optim/nonFinite';

/** A tensor, and how many of its values are not finite or too large to be squared. */
export interface BadTensor {
  readonly name: string;
  readonly count: number;
}

/** What a halted step has left on the GPU. */
export interface Evidence {
  /** The layout of `params` and `grads`. */
  readonly trained: ArenaTable;
  readonly params: View;
  readonly grads: View;
  readonly logits: View;
}

/**
 * The first parameter with a value that is not finite, else the logits, else the first gradient; where all values are finite, the first
 * gradient with values whose squares pass float32. Undefined where nothing is bad.
 */
export async function firstBadTensor(gpu: Gpu, { trained, params, grads, logits }: Evidence): Promise<BadTensor | undefined> {
  const search = async (arena: View, segments: readonly { name: string; offset: number; length: number }[]) => {
    const counts = await countNonFinite(gpu, arena, segments);
    const i = counts.findIndex((n) => n > 0);
    return i < 0 ? undefined : { name: segments[i]!.name, count: counts[i]! };
  };
  const ofGradient = trained.entries.map(({ name, offset, length }) => ({ name: `gradient of ${name}`, offset, length }));
  return (
    (await search(params, trained.entries)) ??
    (await search(logits, [{ name: 'logits', offset: 0, length: logits.size / 4 }])) ??
    (await search(grads, ofGradient)) ??
    firstOverflow(await gpu.readFloats(grads), ofGradient)
  );
}

function firstOverflow(values: Float32Array, segments: readonly { name: string; offset: number; length: number }[]): BadTensor | undefined {
  for (const { name, offset, length } of segments) {
    let count = 0;
    // Fround is what the kernel adds up; a partial sum of many squares may pass, too, from a tenth of that on.
    for (let i = offset; i < offset + length; i++) if (!Number.isFinite(Math.fround(100 * values[i]! ** 2))) count++;
    if (count > 0) return { name, count };
  }
  return undefined;
}
