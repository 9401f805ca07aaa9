import { DRAW_BYTES } from '../../../kernels/gather/augment';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';

/** What a model takes in. */
export interface InputShape {
  readonly imageSize: number;
  readonly channels: number;
}

export interface StageNeeds {
  /** Of the data set. */
  readonly from: InputShape;
  /** Of the model. */
  readonly to: InputShape;
  /** Images per batch. */
  readonly batch: number;
  /** Strong augmentation. */
  readonly strong?: boolean;
}

/** GPU bytes between the data set and the model's input: none where images go straight there. */
export function stageBytes({ from, to, batch, strong = false }: StageNeeds): { pixels: number; draws: number } {
  const same = from.imageSize === to.imageSize && from.channels === to.channels;
  return {
    pixels: same && !strong ? 0 : 4 * batch * from.channels * from.imageSize ** 2,
    draws: strong ? DRAW_BYTES * batch : 0,
  };
}

/** A batch at the data set's own size, on its way to the model's. */
export class Stage {
  private constructor(
    private readonly gpu: Gpu,
    /** f32 [batch, channels, size, size] of the data set, 0 to 255. */
    readonly pixels: View,
    /** The records of strong augmentation. */
    readonly draws: View | undefined,
  ) {}

  /** Undefined where none is needed. */
  static create(gpu: Gpu, needs: StageNeeds): Stage | undefined {
    const { pixels, draws } = stageBytes(needs);
    if (pixels === 0) return undefined;
    return new Stage(gpu, gpu.buffers.allocate('stage.pixels', pixels), draws > 0 ? gpu.buffers.allocate('stage.draws', draws) : undefined);
  }

  dispose(): void {
    this.gpu.buffers.free(this.pixels);
    if (this.draws) this.gpu.buffers.free(this.draws);
  }
}
