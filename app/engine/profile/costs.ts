import { MAX_SUMS } from '../../../kernels/reduce/parts';
import type { DispatchInfo } from '../gpu/recorder';
import { spectralCost, type Spectral } from './spectralCosts';

/**
 * What a dispatch has to do by its formula, whatever the kernel makes of it. An addition, multiplication, division, comparison,
 * root, exponential or erf is one operation, a multiply-add two; what a kernel computes a second time to save memory counts, as it
 * is part of its formula. Bytes: every operand read once and every result written once, as with an unbounded cache.
 */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
  /** False where no formula is known: then these are the recorder's estimate, and everything that is bound. */
  readonly counted: boolean;
}

type Params = Readonly<Record<string, number>>;
type Work = Pick<Cost, 'flops' | 'bytes'>;
/** Operations and 4-byte words. */
const work = (flops: number, words: number): Work => ({ flops, bytes: 4 * words });

/** z Φ(z): z/√2, erf, + 1, × z, × ½. */
const GELU = 5;
/** Φ(x): 4 without the product by x; φ(x): 4; x φ, their sum, and the product with the gradient. */
const GELU_BACKWARD = 11;

/** Which operands of a matrix product are stored in half precision: its kernel's name says so. */
function halvesOf(kernel: string): (operand: 'a' | 'b' | 'out' | 'pre') => number {
  const names = /-halves((\.(a|b|out|pre))+)/.exec(kernel)?.[1]?.split('.') ?? [];
  return (operand) => (names.includes(operand) ? 0.5 : 1);
}
/** Words of what is stored in half precision by kernels whose name says so. */
const stored = (d: DispatchInfo): number => (d.kernel.includes('.halves') ? 0.5 : 1);

/** Operations and further operands, per output, of what is done with a product before it is stored. */
function epilogue(kernel: string, outputs: number): { flops: number; words: number } {
  const width = halvesOf(kernel);
  const [bias, gelu, slope, residual, accumulate] = ['-bias', '-gelu', '-dGelu', '-residual', '-accumulate'].map((name) =>
    kernel.includes(name) ? 1 : 0,
  );
  return {
    flops: (bias! + residual! + accumulate! + GELU * gelu! + (GELU_BACKWARD + 1) * slope!) * outputs,
    words: ((gelu! + 2 * slope!) * width('pre') + residual! + accumulate! * width('out')) * outputs,
  };
}

function matmul(kernel: string, p: Params): Work {
  const { m = 0, n = 0, k = 0, items = 1, splits = 1, stride_a = 1, stride_b = 1 } = p;
  const batch = items / splits;
  const outputs = m * n * batch;
  const { flops, words } = epilogue(kernel, outputs);
  // An operand with no stride is one for the whole batch.
  const a = m * k * (stride_a === 0 ? 1 : batch);
  const b = k * n * (stride_b === 0 ? 1 : batch);
  const bias = kernel.includes('-bias') ? n : 0;
  const width = halvesOf(kernel);
  return work(2 * outputs * k + flops, a * width('a') + b * width('b') + outputs * splits * width('out') + words + bias);
}

function matmulReduce(kernel: string, p: Params): Work {
  const { m = 0, n = 0, batch = 1, splits = 1 } = p;
  const outputs = m * n * batch;
  const { flops, words } = epilogue(kernel, outputs);
  return work(outputs * (splits - 1) + flops, outputs * (splits + halvesOf(kernel)('out')) + words + (kernel.includes('-bias') ? n : 0));
}

/** `products` of T × TQ × HS, and per score the scale, the maximum or lse, the exponential and what the softmax asks for: 5. */
function attention(kernel: string, p: Params): Work {
  const { batch = 1, tokens = 1, queries = 1, heads = 1 } = p;
  const headSize = Number(/\.(\d+)(x\d+)?$/.exec(kernel)?.[1] ?? 0);
  const scores = batch * heads * queries * tokens;
  /** Rows of queries, and of keys, over all heads. */
  const q = batch * heads * queries * headSize;
  const t = batch * heads * tokens * headSize;
  const rows = batch * heads * queries;
  const product = 2 * scores * headSize;
  const w = kernel.includes('.halves') ? 0.5 : 1;
  // q, k, v; out, lse.
  if (kernel.startsWith('attention/forward')) return work(2 * product + 5 * scores + q, w * (q + 2 * t + q) + rows);
  // q, k, v, out, dOut, lse; dQ, dK, dV.
  if (kernel.startsWith('attention/backward.')) return work(5 * product + 5 * scores + 2 * q, w * (3 * q + 5 * t) + rows);
  // q, k, v, out, dOut, lse; delta, dQ. The row sums of dOut ∘ out come first.
  if (kernel.startsWith('attention/backwardQuery')) return work(3 * product + 5 * scores + 2 * q, w * (3 * q + 2 * t + t) + 2 * rows);
  // q, k, v, dOut, lse, delta; dK, dV.
  return work(4 * product + 5 * scores, w * (2 * q + 4 * t) + 2 * rows);
}

const isTrain = (images: number, p: Params): Work => {
  const { batch = 0, channels = 0, size = 0 } = p;
  const pixels = batch * channels * size * size;
  // A byte in, a float out; labels of two bytes become words.
  return { flops: images * pixels, bytes: 5 * pixels + 6 * batch };
};

const TABLE: readonly (readonly [RegExp, (p: Params, d: DispatchInfo) => Work])[] = [
  [/^matmul\/reduce/, (p, d) => matmulReduce(d.kernel, p)],
  [/^matmul\//, (p, d) => matmul(d.kernel, p)],
  [/^attention\/(forward|backward|backwardQuery|backwardKey)\./, (p, d) => attention(d.kernel, p)],
  // Mean 1, deviation 1, square and sum 2, normalised 2, affine 2; per row two divisions, ε, a root and its inverse.
  [
    /^layerNorm\/forward/,
    ({ rows = 0, cols = 0 }, d) => work(8 * rows * cols + 5 * rows, (1 + stored(d)) * rows * cols + 2 * cols + 2 * rows),
  ],
  // dy γ 1, x̂ 2, the two sums 3, the result 4; added to what is there, one more.
  [
    /^layerNorm\/backwardInput/,
    ({ rows = 0, cols = 0, accumulate = 0 }, d) =>
      work((10 + accumulate) * rows * cols, (2 + stored(d) + accumulate) * rows * cols + cols + 2 * rows),
  ],
  [
    /^layerNorm\/backwardAffine/,
    ({ rows = 0, cols = 0, chunk = 1 }, d) =>
      work(5 * rows * cols, (1 + stored(d)) * rows * cols + 2 * rows + 2 * Math.ceil(rows / chunk) * cols),
  ],
  // That of the input and the sums: x̂ is common to both, and the sum of the result one more.
  [
    /^layerNorm\/backward\./,
    ({ rows = 0, cols = 0, accumulate = 0, chunk = 1 }, d) =>
      work(
        (14 + accumulate) * rows * cols,
        (2 + stored(d) + accumulate) * rows * cols + cols + 2 * rows + 3 * Math.ceil(rows / chunk) * cols,
      ),
  ],
  // Normalised 2, affine 2.
  [/^layerNorm\/again/, ({ rows = 0, cols = 0 }, d) => work(4 * rows * cols, (1 + stored(d)) * rows * cols + 2 * cols + 2 * rows)],
  [/^layerNorm\/finishAffine/, ({ chunks = 0, cols = 0 }) => work(2 * chunks * cols, 2 * chunks * cols + 2 * cols)],
  // Where GELU's output takes the place of its input, that is one product more: Φ is there.
  [
    /^gelu\/backward/,
    ({ count = 0 }, d) => {
      const output = d.operands.some(({ name, access }) => name === 'pre' && access === 'readwrite') ? 1 : 0;
      return work((GELU_BACKWARD + output) * count, (3 + output) * stored(d) * count);
    },
  ],
  // Maximum, difference, exponential, their sum, and the sum for the smoothing: 5; gradient: quotient, target and smoothing, mean: 4.
  [
    /^crossEntropy\//,
    ({ rows = 0, classes = 0 }, d) => {
      const gradient = d.kernel.includes('Gradient') ? 1 : 0;
      return work((5 + 4 * gradient) * rows * classes, (1 + gradient) * rows * classes + 3 * rows);
    },
  ],
  [
    /^reduce\/column(Sum|Parts)/,
    ({ rows = 0, cols = 0, chunk = 1 }, d) => work(rows * cols, stored(d) * rows * cols + Math.ceil(rows / chunk) * cols),
  ],
  [
    /^reduce\/finish/,
    (p) => {
      const sums = Array.from({ length: MAX_SUMS }, (_, i) => ({ chunks: p[`chunks${i}`] ?? 0, cols: p[`cols${i}`] ?? 0 }));
      const adds = sums.reduce((all, { chunks, cols }) => all + chunks * cols, 0);
      return work(adds, adds + sums.reduce((all, { cols }) => all + cols, 0));
    },
  ],
  // The class token's rows are written and not read.
  [/^patchEmbed\/patches/, ({ runs = 0, extent = 0, tokens = 1 }) => work(0, runs * extent * (1 + (tokens - 1) / tokens))],
  [
    /^patchEmbed\/assemble/,
    ({ batch = 0, tokens = 0, cols = 0 }) =>
      work((batch * (tokens - 1) + 1) * cols, batch * (2 * tokens - 1) * cols + tokens * cols + cols),
  ],
  [/^patchEmbed\/backward/, ({ batch = 0, tokens = 0, cols = 0 }) => work(batch * tokens * cols, (batch + 2) * tokens * cols + cols)],
  [/^patchEmbed\/classRows/, ({ count = 0, tokens = 1 }, { constants }) => work(0, constants.SCATTER ? count + count / tokens : 2 * count)],
  [
    /^patchEmbed\/meanRows/,
    ({ count = 0, tokens = 1 }, { constants }) =>
      constants.SCATTER ? work((count * (tokens - 1)) / tokens, count + count / tokens) : work(count * (tokens - 1), count * tokens),
  ],
  // Scale and shift.
  [/^gather\/(train|sequential)/, (p) => isTrain(2, p)],
  [/^accumulate\/clear/, ({ n4 = 0 }) => work(0, 4 * n4)],
  [/^accumulate\/sum/, ({ n4 = 0 }) => work(4 * n4, 12 * n4)],
  [/^accumulate\/collect/, ({ count = 0 }) => work(0, 4 * count)],
  // Clip 1, m 3, v 4, step 5, decay and move 3; gradient, weight and moments in, weight and moments out.
  [/^adamw\/update/, ({ n4 = 0 }) => work(16 * 4 * n4, 7 * 4 * n4)],
  // The same in two parts, with the step in the place of the gradient between them; weights are read for a decay in the gradient only.
  [
    /^adamw\/collect/,
    ({ n4 = 0 }, { constants }) => (constants.L2_DECAY === 1 ? work(15 * 4 * n4, 7 * 4 * n4) : work(13 * 4 * n4, 6 * 4 * n4)),
  ],
  [/^adamw\/move/, ({ n4 = 0 }) => work(3 * 4 * n4, 3 * 4 * n4)],
  [/^gradNorm\/partial/, ({ n4 = 0, threads = 0 }) => work(8 * n4, 4 * n4 + threads)],
  // The sums; root, quotient, minimum, mean.
  [/^gradNorm\/finalize/, ({ count = 0, batch = 0 }) => work(count + 2 * batch + 4, count + 2 * batch + 16)],
  [/^lossScale\/unscale/, ({ n4 = 0 }) => work(4 * n4, 8 * n4)],
  [/^ema\/update/, ({ n4 = 0 }) => work(12 * n4, 12 * n4)],
];

const none = (d: DispatchInfo): Cost => ({ flops: d.work, bytes: d.operands.reduce((sum, { bytes }) => sum + bytes, 0), counted: false });

/** One dispatch that has nothing to do with singular values. */
export function costOf(d: DispatchInfo): Cost {
  const entry = TABLE.find(([pattern]) => pattern.test(d.kernel));
  if (entry) return { ...entry[1](d.params, d), counted: true };
  // One record: the words that are bound.
  if (d.kernel.startsWith('metrics/record')) return { ...none(d), counted: true };
  return none(d);
}

/** Every dispatch of a list in its order; `spectral` says what those know that work on the regularized matrices. */
export function costsOf(dispatches: readonly DispatchInfo[], spectral?: Spectral): Cost[] {
  /** Jacobi sweeps so far, decompositions begun, and the matrices at work. */
  const at = { sweep: 0, pass: 0, first: 0, count: 0 };
  return dispatches.map((d) => (spectral && spectralCost(d, spectral, at)) ?? costOf(d));
}
