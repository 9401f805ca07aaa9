import type { Recorder } from '../../gpu/recorder';
import { recordLinearBackward } from '../../ops/linear';
import { recordAssemble, recordEmbedBackward, recordPatches, type PatchShape, type TokenShape } from '../../ops/patchEmbed';
import type { PendingSums } from '../../ops/pendingSums';
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

  recordBackward(recorder: Recorder, params: Arena, grads: Arena, sums: PendingSums | undefined): void {
    const { view, tuning } = this.context;
    const dx = view('dStream');
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
    // Those of the patches, without the class token.
    const dBias = grads('patch_embed.proj.bias');
    const rows = tokens - 1;
    const tokenSums = sums?.take(tokens, cols, [{ view: dBias, at: cols, cols, chunks: rows }]) ?? view('tokenSums');
    recordEmbedBackward(recorder, this.tokens, dx, grads('pos_embed'), grads('cls_token'), tokenSums);
    if (sums) sums.record(recorder, 'patch_embed.finish');
    else {
      const label = 'patch_embed.proj.dBias';
      recordColumnSum(recorder, { rows, cols, first: cols, input: tokenSums, out: dBias, scratch, label });
    }
  }
}
