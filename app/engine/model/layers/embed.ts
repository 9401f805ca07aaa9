import type { Recorder } from '../../gpu/recorder';
import { recordLinearBackward } from '../../ops/linear';
import { recordAssemble, recordEmbedBackward, recordPatches, type PatchShape, type TokenShape } from '../../ops/patchEmbed';
import { recordColumnSum } from '../../ops/reduce';
import type { Arena, Layer, LayerContext } from './layer';

/** images [B, ch, S, S] → embed [B, T, C]: projected patches, class token first, plus position embedding. */
export class EmbedLayer implements Layer {
  private readonly patches: PatchShape;
  private readonly tokens: TokenShape;

  constructor(private readonly context: LayerContext) {
    const { plan, shape } = context;
    const { config: c, batch } = plan;
    this.patches = { batch, channels: c.inChannels, side: shape.side, patch: c.patchSize };
    this.tokens = { batch, tokens: shape.tokens, cols: c.embedDim };
  }

  private get linear() {
    const { batch, tokens, cols } = this.tokens;
    return { rows: batch * tokens, inputs: this.context.shape.patchLength, outputs: cols, label: 'patch_embed.proj' };
  }

  recordForward(recorder: Recorder, params: Arena): void {
    const { view, tuning, linear } = this.context;
    const x = view('embed');
    recordPatches(recorder, this.patches, view('images'), view('patches'));
    linear(recorder, tuning, {
      ...this.linear,
      x: view('patches'),
      weight: params('patch_embed.proj.weight'),
      bias: params('patch_embed.proj.bias'),
      out: x,
      scratch: view('scratch'),
    });
    recordAssemble(recorder, this.tokens, params('cls_token'), params('pos_embed'), x);
  }

  recordBackward(recorder: Recorder, params: Arena, grads: Arena): void {
    const { view, tuning } = this.context;
    const dx = view('dStream');
    const sums = view('tokenSums');
    const scratch = view('scratch');
    const { tokens, cols } = this.tokens;
    // The class token's row of `patches` is zero, so all rows of dx may enter the product.
    recordLinearBackward(recorder, tuning, {
      ...this.linear,
      x: view('patches'),
      weight: params('patch_embed.proj.weight'),
      dOut: dx,
      dWeight: grads('patch_embed.proj.weight'),
      scratch,
    });
    recordEmbedBackward(recorder, this.tokens, dx, grads('pos_embed'), grads('cls_token'), sums);
    recordColumnSum(recorder, {
      rows: tokens - 1,
      cols,
      first: cols,
      input: sums,
      out: grads('patch_embed.proj.bias'),
      scratch,
      label: 'patch_embed.proj.dBias',
    });
  }
}
