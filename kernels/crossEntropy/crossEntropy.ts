import { lossScaleWgsl } from '../lossScale/lossScale';
import { stepStateWgsl } from '../stepState';
import { expand, fields, foldGrid, type Grid, type KernelSpec } from '../spec';
import source from './loss.wgsl?raw';

export interface CrossEntropyVariant {
  /** Also writes dLogits. */
  readonly gradient: boolean;
  /** Soft targets of two labels, weighted by the StepState. */
  readonly mix?: boolean;
  /** The gradient is that of the loss times the LossScale. */
  readonly scaled?: boolean;
  /** Threads per sample, a power of two. */
  readonly lanes: 4 | 64;
}

const build = ({ gradient, mix = false, scaled = false, lanes }: CrossEntropyVariant): KernelSpec => ({
  name: `crossEntropy/${mix ? 'mixed.' : ''}${scaled ? 'scaled.' : ''}${gradient ? 'lossAndGradient' : 'loss'}.${lanes}`,
  code:
    (mix ? stepStateWgsl : '') +
    (scaled ? lossScaleWgsl : '') +
    expand(source, {
      ...{ GRADIENT: gradient ? 1 : 0, MIX: mix ? 1 : 0, PLAIN: mix ? 0 : 1, SCALED: scaled ? 1 : 0, LANES: lanes },
      ...{ STATE_BINDING: gradient ? 6 : 5, SCALE_BINDING: (gradient ? 6 : 5) + (mix ? 1 : 0) },
    }),
  params: fields('u32 rows, u32 classes, u32 mean_of, f32 smoothing'),
  bindings: [
    { name: 'logits', access: 'read' },
    { name: 'labels', access: 'read' },
    { name: 'losses', access: 'readwrite' },
    { name: 'correct', access: 'readwrite' },
    ...(gradient ? [{ name: 'd_logits', access: 'readwrite' } as const] : []),
    ...(mix ? [{ name: 'state', access: 'read' } as const] : []),
    ...(scaled ? [{ name: 'scaling', access: 'read' } as const] : []),
  ],
});

/** Loss, hit flag and, for training, the gradient of the batch mean; see the header of loss.wgsl. */
export const crossEntropy = (variant: CrossEntropyVariant): KernelSpec => build(variant);

export const crossEntropyGrid = (rows: number): Grid => foldGrid(rows);
