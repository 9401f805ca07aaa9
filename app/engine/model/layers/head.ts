import type { View } from '../../gpu/buffers';
import type { Recorder } from '../../gpu/recorder';
import { recordLayerNorm, recordLayerNormBackward, recordLayerNormBackwardOnce } from '../../ops/layerNorm';
import { recordLinearBackward } from '../../ops/linear';
import { recordClassRows, recordClassRowsBackward, recordMeanRows, recordMeanRowsBackward, type TokenShape } from '../../ops/patchEmbed';
import type { PendingSums } from '../../ops/pendingSums';
import { keepsAllTokens } from '../memory';
import { headNorm } from '../parameters';
import type { Arena, Layer, LayerContext } from './layer';

/** Class token of the last block, or the mean of its patch tokens → layer norm → features [B, C] → logits [B, classes]. */
export class HeadLayer implements Layer {
  private readonly tokens: TokenShape;

  constructor(private readonly context: LayerContext) {
    const { plan, shape } = context;
    this.tokens = { batch: plan.batch, tokens: shape.tokens, cols: plan.config.embedDim };
  }

  private get last(): View {
    return this.context.view(`blocks.${this.context.plan.config.depth - 1}.out`);
  }
  /** [B, C]: the last block's output, or what is taken from it when it has all tokens. */
  private get rows(): View {
    return this.all ? this.context.view('pooled') : this.last;
  }
  private get all(): boolean {
    return keepsAllTokens(this.context.plan);
  }
  private get mean(): boolean {
    return this.context.plan.config.pool === 'avg';
  }
  private get norm(): string {
    return headNorm(this.context.plan.config);
  }
  private get linear() {
    return { rows: this.tokens.batch, inputs: this.tokens.cols, outputs: this.context.plan.config.numClasses, label: 'head' };
  }

  recordForward(recorder: Recorder, params: Arena): void {
    const { view, tuning, linear } = this.context;
    if (this.mean) recordMeanRows(recorder, this.tokens, this.last, this.rows);
    else if (this.all) recordClassRows(recorder, this.tokens, this.last, this.rows);
    recordLayerNorm(recorder, {
      rows: this.tokens.batch,
      cols: this.tokens.cols,
      x: this.rows,
      gamma: params(`${this.norm}.weight`),
      beta: params(`${this.norm}.bias`),
      y: view('features'),
      stats: view('norm.stats'),
      label: this.norm,
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

  recordBackward(recorder: Recorder, params: Arena, grads: Arena, sums: PendingSums | undefined): void {
    const { view, tuning } = this.context;
    const scratch = view('scratch');
    const dFeatures = view('dFeatures');
    const dRows = view('dRows');
    const dBias = grads('head.bias');
    // The gradient of the logits lies where the first sums wait: it is added up as it is.
    sums?.take(this.linear.rows, this.linear.outputs, [{ view: dBias, at: 0, cols: this.linear.outputs }]);
    recordLinearBackward(recorder, tuning, {
      ...this.linear,
      x: view('features'),
      weight: params('head.weight'),
      dOut: view('dLogits'),
      dInput: dFeatures,
      dWeight: grads('head.weight'),
      dBias: sums ? undefined : dBias,
      scratch,
    });
    const norm = {
      rows: this.tokens.batch,
      cols: this.tokens.cols,
      dy: dFeatures,
      x: this.rows,
      stats: view('norm.stats'),
      gamma: params(`${this.norm}.weight`),
      dx: dRows,
      dGamma: grads(`${this.norm}.weight`),
      dBeta: grads(`${this.norm}.bias`),
      label: this.norm,
    };
    if (sums) {
      // Every row of the stream that the head reads, or its share of one, ends what the last block adds: so the sums are one.
      recordLayerNormBackwardOnce(recorder, sums, { ...norm, dSum: grads(`blocks.${this.context.plan.config.depth - 1}.mlp.fc2.bias`) });
      sums.record(recorder, `${this.norm}.finish`);
    } else recordLayerNormBackward(recorder, { ...norm, scratch });
    if (this.mean) recordMeanRowsBackward(recorder, this.tokens, dRows, view('dStream'));
    else if (this.all) recordClassRowsBackward(recorder, this.tokens, dRows, view('dStream'));
  }
}
