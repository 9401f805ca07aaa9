import type { View } from '../../gpu/buffers';
import type { Recorder } from '../../gpu/recorder';
import { recordLayerNorm, recordLayerNormBackward } from '../../ops/layerNorm';
import { recordLinearBackward } from '../../ops/linear';
import { recordClassRows, recordClassRowsBackward, type TokenShape } from '../../ops/patchEmbed';
import type { Arena, Layer, LayerContext } from './layer';

/** Class token of the last block → layer norm → features [B, C] → logits [B, classes]. */
export class HeadLayer implements Layer {
  private readonly tokens: TokenShape;

  constructor(private readonly context: LayerContext) {
    const { plan, shape } = context;
    this.tokens = { batch: plan.batch, tokens: shape.tokens, cols: plan.config.embedDim };
  }

  private get last(): View {
    return this.context.view(`blocks.${this.context.plan.config.depth - 1}.out`);
  }
  /** [B, C]: the last block's output, or the class rows of it when it has all tokens. */
  private get rows(): View {
    return this.context.plan.allTokens ? this.context.view('class') : this.last;
  }
  private get linear() {
    return { rows: this.tokens.batch, inputs: this.tokens.cols, outputs: this.context.plan.config.numClasses, label: 'head' };
  }

  recordForward(recorder: Recorder, params: Arena): void {
    const { view, tuning, plan, linear } = this.context;
    if (plan.allTokens) recordClassRows(recorder, this.tokens, this.last, this.rows);
    recordLayerNorm(recorder, {
      rows: this.tokens.batch,
      cols: this.tokens.cols,
      x: this.rows,
      gamma: params('norm.weight'),
      beta: params('norm.bias'),
      y: view('features'),
      stats: view('norm.stats'),
      label: 'norm',
    });
    linear(recorder, tuning, {
      ...this.linear,
      x: view('features'),
      weight: params('head.weight'),
      bias: params('head.bias'),
      out: view('logits'),
      scratch: view('scratch'),
    });
  }

  recordBackward(recorder: Recorder, params: Arena, grads: Arena): void {
    const { view, tuning, plan } = this.context;
    const scratch = view('scratch');
    const dFeatures = view('dBranch');
    const dRows = view('dRows');
    recordLinearBackward(recorder, tuning, {
      ...this.linear,
      x: view('features'),
      weight: params('head.weight'),
      dOut: view('dLogits'),
      dInput: dFeatures,
      dWeight: grads('head.weight'),
      dBias: grads('head.bias'),
      scratch,
    });
    recordLayerNormBackward(recorder, {
      rows: this.tokens.batch,
      cols: this.tokens.cols,
      dy: dFeatures,
      x: this.rows,
      stats: view('norm.stats'),
      gamma: params('norm.weight'),
      dx: dRows,
      dGamma: grads('norm.weight'),
      dBeta: grads('norm.bias'),
      scratch,
      label: 'norm',
    });
    if (plan.allTokens) recordClassRowsBackward(recorder, this.tokens, dRows, view('dStream'));
  }
}
