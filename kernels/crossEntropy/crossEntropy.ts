import { expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import source from './loss.wgsl?raw';

export interface CrossEntropyVariant {
  /** Also writes dLogits. */
  readonly gradient: boolean;
  /** Threads per sample, a power of two. */
  readonly lanes: 4 | 64;
}

const build = ({ gradient, lanes }: CrossEntropyVariant): KernelSpec => ({
  name: `crossEntropy/${gradient ? 'lossAndGradient' : 'loss'}.${lanes}`,
  code: expand(source, { GRADIENT: gradient ? 1 : 0, LANES: lanes }),
  params: fields('u32 rows, u32 classes, f32 smoothing'),
  bindings: [
    { name: 'logits', access: 'read' },
    { name: 'labels', access: 'read' },
    { name: 'losses', access: 'readwrite' },
    { name: 'correct', access: 'readwrite' },
    ...(gradient ? [{ name: 'd_logits', access: 'readwrite' } as const] : []),
  ],
});

/** Loss, hit flag and, for training, the gradient of the batch mean; see the header of loss.wgsl. */
export const crossEntropy = (variant: CrossEntropyVariant): KernelSpec => build(variant);

export const crossEntropyGrid = (rows: number): Grid => foldGrid(rows);
