import type { View } from '../../gpu/buffers';
import type { Recorder } from '../../gpu/recorder';
import { attentionKey, recordAttention, recordAttentionBackward, type AttentionShape } from '../../ops/attention';
import { recordGeluBackward } from '../../ops/gelu';
import { recordLayerNorm, recordLayerNormAgain, recordLayerNormBackward, recordLayerNormBackwardOnce } from '../../ops/layerNorm';
import { recordLinearBackward, recordLinearInput, recordLinearWeight } from '../../ops/linear';
import { recordClassRows, recordClassRowsBackward, type TokenShape } from '../../ops/patchEmbed';
import type { PendingSums } from '../../ops/pendingSums';
import { again, attentionShape } from '../memory';
import type { Arena, Layer, LayerContext } from './layer';

/**
 * x + Attn(LN(x)), then x + MLP(LN(x)) on [B, T, C].
 * The last block may need its class token only: then attention has one query per image and everything after it B rows.
 * With `plan.halves`, what lies between two residual streams, and its gradient, is stored in half precision.
 */
export class TransformerBlock implements Layer {
  private readonly name: string;
  private readonly attention: AttentionShape;
  private readonly tokens: TokenShape;
  /** Rows of the whole stream, B·T, and of what leaves the attention. */
  private readonly all: number;
  private readonly rows: number;
  private readonly classOnly: boolean;
  private readonly halves: boolean;

  constructor(
    private readonly context: LayerContext,
    private readonly index: number,
  ) {
    const { plan, shape } = context;
    this.name = `blocks.${index}`;
    this.attention = attentionShape(plan, index);
    this.tokens = { batch: plan.batch, tokens: shape.tokens, cols: plan.config.embedDim };
    this.all = plan.batch * shape.tokens;
    this.rows = plan.batch * this.attention.queries;
    this.classOnly = this.attention.queries < shape.tokens;
    this.halves = plan.halves === true;
  }

  private view(name: string): View {
    return this.context.view(`${this.name}.${name}`);
  }
  private get input(): View {
    return this.context.view(this.index === 0 ? 'embed' : `blocks.${this.index - 1}.out`);
  }
  /** Sizes of a linear layer, with its label. */
  private linear(name: string, rows: number, inputs: number, outputs: number) {
    return { rows, inputs, outputs, label: `${this.name}.${name}` };
  }
  private get qkv() {
    return this.linear('attn.qkv', this.all, this.tokens.cols, 3 * this.tokens.cols);
  }
  private get proj() {
    return this.linear('attn.proj', this.rows, this.tokens.cols, this.tokens.cols);
  }
  private get fc1() {
    return this.linear('mlp.fc1', this.rows, this.tokens.cols, this.context.shape.hidden);
  }
  private get fc2() {
    return this.linear('mlp.fc2', this.rows, this.context.shape.hidden, this.tokens.cols);
  }

  private recordNorm(recorder: Recorder, params: Arena, part: 'norm1' | 'norm2', record = recordLayerNorm): void {
    const first = part === 'norm1';
    record(recorder, {
      rows: first ? this.all : this.rows,
      cols: this.tokens.cols,
      x: first ? this.input : this.view('mid'),
      gamma: params(`${this.name}.${part}.weight`),
      beta: params(`${this.name}.${part}.bias`),
      y: this.view(part),
      stats: this.view(`${part}.stats`),
      halves: this.halves,
      label: `${this.name}.${part}`,
    });
  }

  recordForward(recorder: Recorder, params: Arena): void {
    const { tuning, linear } = this.context;
    const { halves } = this;
    this.recordInner(recorder, params);
    linear(recorder, tuning, {
      ...this.fc2,
      x: this.view('act'),
      weight: params(`${this.name}.mlp.fc2.weight`),
      bias: params(`${this.name}.mlp.fc2.bias`),
      residual: this.view('mid'),
      out: this.view('out'),
      halves: { x: halves },
      scratch: this.context.view('scratch'),
    });
  }

  /** All of the forward pass but the last product: what the backward pass reads. */
  private recordInner(recorder: Recorder, params: Arena): void {
    const { tuning, linear } = this.context;
    const { name, attention, tokens, halves } = this;
    const scratch = this.context.view('scratch');
    const weight = (part: string): View => params(`${name}.${part}.weight`);
    const bias = (part: string): View => params(`${name}.${part}.bias`);

    this.recordNorm(recorder, params, 'norm1');
    linear(recorder, tuning, {
      ...this.qkv,
      x: this.view('norm1'),
      weight: weight('attn.qkv'),
      bias: bias('attn.qkv'),
      out: this.view('qkv'),
      halves: { x: halves, out: halves },
      scratch,
    });
    recordAttention(recorder, {
      shape: attention,
      qkv: this.view('qkv'),
      out: this.view('heads'),
      lse: this.view('lse'),
      halves,
      label: `${name}.attn`,
    });
    this.context.watch(recorder, this.index, { shape: attention, qkv: this.view('qkv'), lse: this.view('lse'), halves });
    if (this.classOnly) recordClassRows(recorder, tokens, this.input, this.view('rows'), `${name}.classRows`);
    linear(recorder, tuning, {
      ...this.proj,
      x: this.view('heads'),
      weight: weight('attn.proj'),
      bias: bias('attn.proj'),
      residual: this.classOnly ? this.view('rows') : this.input,
      out: this.view('mid'),
      halves: { x: halves },
      scratch,
    });
    this.recordNorm(recorder, params, 'norm2');
    linear(recorder, tuning, {
      ...this.fc1,
      x: this.view('norm2'),
      weight: weight('mlp.fc1'),
      bias: bias('mlp.fc1'),
      gelu: this.view('pre'),
      out: this.view('act'),
      halves: { x: halves, out: halves },
      scratch,
    });
  }

  /**
   * The gradient of the output arrives in dRows (class token only) or dStream, and becomes that of `mid` in place,
   * since both branches only add to it; the gradient of the input leaves in dStream. Cheap activations are made again where the
   * gradient that follows them will lie: norm2 and norm1 in dBranch, GELU's output in the place of its input.
   */
  recordBackward(recorder: Recorder, params: Arena, grads: Arena, sums: PendingSums | undefined): void {
    const { plan, tuning, view, shape } = this.context;
    const { name, tokens, all, rows, halves } = this;
    const cols = tokens.cols;
    const scratch = view('scratch');
    const dBranch = view('dBranch');
    const dWide = view('dWide');
    const dStream = view('dStream');
    const dOut = this.classOnly ? view('dRows') : dStream;
    if (again(plan, this.index)) this.recordInner(recorder, params);
    const layer = (part: string) => ({
      weight: params(`${name}.${part}.weight`),
      dWeight: grads(`${name}.${part}.weight`),
      // Where sums wait, those of what leaves a branch come with the norm behind it: the gradient of the stream is at its end there.
      dBias: sums && (part === 'mlp.fc2' || part === 'attn.proj') ? undefined : grads(`${name}.${part}.bias`),
      sums,
      scratch,
    });
    const backNorm = (part: 'norm1' | 'norm2', streams: { rows: number; x: View; dx: View }, before: string | undefined): void => {
      const args = {
        ...streams,
        cols,
        dy: dBranch,
        accumulate: true,
        stats: this.view(`${part}.stats`),
        gamma: params(`${name}.${part}.weight`),
        dGamma: grads(`${name}.${part}.weight`),
        dBeta: grads(`${name}.${part}.bias`),
        halves,
        label: `${name}.${part}`,
      };
      if (sums) recordLayerNormBackwardOnce(recorder, sums, { ...args, dSum: before === undefined ? undefined : grads(before) });
      else recordLayerNormBackward(recorder, { ...args, scratch });
    };

    /** Behind a residual stream, whose gradient is f32, and between two products. */
    const outer = { x: halves, dInput: halves };
    const inner = { ...outer, dOut: halves };

    const fc2 = { ...this.fc2, ...layer('mlp.fc2'), halves: outer, dOut };
    const pre = this.view('pre');
    recordLinearInput(recorder, tuning, { ...fc2, dInput: dWide, dGelu: sums && pre });
    if (!sums) recordGeluBackward(recorder, { count: rows * shape.hidden, pre, grad: dWide, halves, label: `${name}.mlp.gelu` });
    recordLinearWeight(recorder, tuning, { ...fc2, x: pre });
    this.recordNorm(recorder, params, 'norm2', recordLayerNormAgain);
    recordLinearBackward(recorder, tuning, {
      ...this.fc1,
      ...layer('mlp.fc1'),
      halves: inner,
      x: this.view('norm2'),
      dOut: dWide,
      dInput: dBranch,
    });
    backNorm('norm2', { rows, x: this.view('mid'), dx: dOut }, `${name}.attn.proj.bias`);

    recordLinearBackward(recorder, tuning, {
      ...this.proj,
      ...layer('attn.proj'),
      halves: outer,
      x: this.view('heads'),
      dOut,
      dInput: dBranch,
    });
    recordAttentionBackward(recorder, {
      shape: this.attention,
      qkv: this.view('qkv'),
      out: this.view('heads'),
      lse: this.view('lse'),
      dOut: dBranch,
      delta: view('delta'),
      dQkv: dWide,
      halves,
      cut: tuning.attention?.[attentionKey(this.attention, halves)],
      label: `${name}.attn`,
    });
    this.recordNorm(recorder, params, 'norm1', recordLayerNormAgain);
    recordLinearBackward(recorder, tuning, {
      ...this.qkv,
      ...layer('attn.qkv'),
      halves: inner,
      x: this.view('norm1'),
      dOut: dWide,
      dInput: dBranch,
    });
    if (this.classOnly) recordClassRowsBackward(recorder, tokens, dOut, dStream, `${name}.classRows`);
    const before = this.index > 0 ? `blocks.${this.index - 1}.mlp.fc2.bias` : undefined;
    backNorm('norm1', { rows: all, x: this.input, dx: dStream }, before);
    if (this.index > 0) sums?.record(recorder, `${name}.finish`);
  }
}
