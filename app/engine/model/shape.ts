/** Vision Transformer hyperparameters, named as in timm. */
export interface VitConfig {
  readonly imageSize: number;
  readonly inChannels: number;
  readonly numClasses: number;
  readonly patchSize: number;
  readonly embedDim: number;
  readonly depth: number;
  readonly numHeads: number;
  readonly mlpRatio: number;
  /** What the head reads: the class token (default), or the mean of the patch tokens behind a norm of its own. */
  readonly pool?: 'token' | 'avg';
}

/** The sizes that follow from a config. */
export interface VitShape {
  /** Patches along a side. */
  readonly side: number;
  /** T: patches and the class token. */
  readonly tokens: number;
  /** Pixels of a patch over all channels. */
  readonly patchLength: number;
  readonly headSize: number;
  /** Hidden width of the MLP. */
  readonly hidden: number;
}

/** @throws Error when the patch does not divide the image, or the heads do not divide the width. */
export function vitShape(c: VitConfig): VitShape {
  const side = c.imageSize / c.patchSize;
  const headSize = c.embedDim / c.numHeads;
  const hidden = Math.trunc(c.embedDim * c.mlpRatio);
  if (!Number.isInteger(side) || side < 1) throw new Error(`a patch of ${c.patchSize} does not divide an image of ${c.imageSize}`);
  if (!Number.isInteger(headSize) || headSize < 1) throw new Error(`${c.numHeads} heads do not divide a width of ${c.embedDim}`);
  if (hidden < 1) throw new Error(`an MLP ratio of ${c.mlpRatio} leaves no hidden unit`);
  return { side, tokens: 1 + side * side, patchLength: c.inChannels * c.patchSize ** 2, headSize, hidden };
}
