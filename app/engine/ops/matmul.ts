import {
  REDUCE_WORKGROUP,
  matmulKernel,
  matmulReduceKernel,
  matmulVariant,
  roundsOperands,
  type MatmulForm,
  type MatmulHalves,
  type MatmulVariant,
} from '../../../kernels/matmul/matmul';
import { ceilDiv, foldGrid } from '../../../kernels/spec';
import type { View } from '../gpu/buffers';
import type { DeviceInfo } from '../gpu/device';
import type { Recorder } from '../gpu/recorder';

/** The shape of a product: out[m,n] = op(a)[m,k] · op(b)[k,n], for each of `batch` items. */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly batch?: number;
  /**
   * Which of a, b, out and `gelu` or `dGelu` (as `pre`) hold half-precision numbers, two to a word, the lower in the low half: half the bytes
   * on every device. Their rows and batch strides are multiples of 4 elements. Sums stay f32, and so do products but where a tuning
   * measured matrix units to be faster, which round both operands.
   */
  readonly halves?: MatmulHalves;
}

/** Row-major, f32 but for what `halves` names. `out`, `gelu` and `residual` share the output's shape and batch stride. */
export interface MatmulArgs extends MatmulShape {
  /** [m,k], or [k,m] when transA. */
  readonly a: View;
  /** [k,n], or [n,k] when transB. */
  readonly b: View;
  readonly out: View;
  /** Elements between batch items; dense when absent. 0 for `a` or `b` uses the one operand for every item. */
  readonly strideA?: number;
  readonly strideB?: number;
  readonly strideOut?: number;
  /**
   * Elements between rows of the output, where they are longer than n. The items of a batch then lie side by side in them, n
   * apart unless strideOut says otherwise, and `bias` has an entry for every column.
   */
  readonly rowOut?: number;
  /** [n], added to every row. */
  readonly bias?: View;
  /** Receives z = product + bias; out becomes gelu(z), with the exact erf. */
  readonly gelu?: View;
  /** [m,n]: out becomes the product times gelu'(dGelu), and dGelu becomes gelu(dGelu). Not with `gelu`. */
  readonly dGelu?: View | undefined;
  /** [m,n], added after bias and GELU. Not the buffer range of `out`: use `accumulate` for that. */
  readonly residual?: View;
  /** out += … instead of out = …. */
  readonly accumulate?: boolean;
  /**
   * Room for partial products, so that a product with few outputs and a long k can be split over k; without it there is no
   * split. `matmulScratchBytes` says how much is useful; less is used as far as it goes. Its contents are overwritten.
   */
  readonly scratch?: View;
  readonly label?: string;
}

export type MatmulKind = 'nn' | 'nt' | 'tn';
/** Whether the outputs alone can fill a device with large tiles. */
export type MatmulClass = 'small' | 'large';
/** GFLOP/s on full tiles by variant id; a variant without an entry is not used. */
export type MatmulRates = Readonly<Record<string, number>>;

/** What decides between the variants: plain data, stored with a run, so that it repeats bit for bit in speed and in split. */
export interface MatmulTuning {
  readonly version: 1;
  readonly rates: Readonly<Record<MatmulKind, Readonly<Record<MatmulClass, MatmulRates>>>>;
  /** Variants that take long to compile and are so many times as fast as the best of the others: for heavy products only. */
  readonly heavy?: MatmulRates;
  /** What was measured to be fastest for products of exactly this shape, by `matmulShapeKey`: variant and parts of k. */
  readonly shapes?: Readonly<Record<string, readonly [variant: string, splits: number]>>;
  /** Invocations that keep the device busy: products with fewer are split over k. 0 never splits. */
  readonly fill: number;
  /** Whether a block's backward pass makes few dispatches with much in each, see `fuses`; absent where it does not. */
  readonly fused?: boolean;
}

/** Outputs from which a product counts as large. */
const LARGE_OUTPUTS = 65536;
/** Shortest part of k worth a workgroup of its own, and the multiple that parts are cut at. */
export const MIN_PART = 64;
const PART_MULTIPLE = 16;
const MAX_SPLITS = 32;

/**
 * Relative speeds to choose by where nothing has been measured. On software adapters the small tiles that compile in a
 * tenth of a second are within a fifth of the best large ones, which take eight times as long.
 */
const SOFTWARE_RATES: MatmulRates = { r8x8: 3.6, r4x4: 2.4 };
const SOFTWARE_LANE_RATES: MatmulRates = { q8x4: 5 };
/**
 * q16x8 measured beside q8x4 on two busy cores, 2080 × 192 × 192 in all three forms: 1.3 to 2.7 times as fast, four times as long to
 * compile. q24x8 beside q16x8, at the sizes of ViT-Tiny/4: 1.08 to 1.16 times as fast.
 */
const SOFTWARE_LANE_HEAVY: MatmulRates = { q16x8: 1.4, q24x8: 1.5 };
/** Multiply-adds from which a product is heavy, and its least side: models of which one step takes longer than the compilation. */
const HEAVY_WORK = 2 ** 23;
const HEAVY_SIDE = 64;
const HARDWARE_RATES: Readonly<Record<MatmulClass, MatmulRates>> = {
  small: { s32x32: 4, s64x64: 4, r4x4: 2 },
  large: { s64x96: 4, s64x64: 4, s32x32: 2.5, r4x4: 1 },
};

/** Invocations assumed to fill a graphics card. */
const HARDWARE_FILL = 32768;

/** A sound choice without measuring. A tuning belongs to its adapter: it may name variants that need a feature. */
export function defaultMatmulTuning(info: DeviceInfo): MatmulTuning {
  const software = info.subgroups ? SOFTWARE_LANE_RATES : SOFTWARE_RATES;
  const rates = info.software ? { small: software, large: software } : HARDWARE_RATES;
  const own = info.software ? { ...(info.subgroups && { heavy: SOFTWARE_LANE_HEAVY }), fill: 0 } : { fill: HARDWARE_FILL, fused: true };
  return { version: 1, rates: { nn: rates, nt: rates, tn: rates }, ...own };
}

interface Plan {
  readonly variant: MatmulVariant;
  readonly tilesM: number;
  readonly tilesN: number;
  readonly splits: number;
  /** Length of a part of k. */
  readonly part: number;
}

const kindOf = (s: MatmulShape): MatmulKind => (s.transA ? (s.transB ? 'nt' : 'tn') : s.transB ? 'nt' : 'nn');

/** Name of a shape in `MatmulTuning.shapes`: products whose operands may be rounded have other candidates. */
export const matmulShapeKey = (s: MatmulShape): string => {
  const batch = (s.batch ?? 1) > 1 ? ` ${s.batch}` : '';
  return `${s.transA ? 't' : 'n'}${s.transB ? 't' : 'n'} ${s.m} ${s.n} ${s.k}${batch}${roundsOperands(s.halves) ? ' halves' : ''}`;
};

/** Outputs computed for an m × n product, with what lies past the edge. */
function padded(variant: MatmulVariant, m: number, n: number): number {
  // Register tiles past the last row do no work; invocations along n run in lockstep with their neighbours.
  const rows = variant.kt === 0 ? variant.mt : variant.mt * variant.wy;
  const cols = variant.nt * variant.wx;
  return ceilDiv(m, rows) * rows * ceilDiv(n, cols) * cols;
}

/** Picks the variant with the shortest expected time and the number of parts k is cut into. */
function plan(tuning: MatmulTuning, shape: MatmulShape): Plan {
  const { m, n, k, batch = 1 } = shape;
  const known = tuning.shapes?.[matmulShapeKey(shape)];
  if (known) {
    const variant = matmulVariant(known[0]);
    return { variant, tilesM: ceilDiv(m, variant.mt * variant.wy), tilesN: ceilDiv(n, variant.nt * variant.wx), ...cut(k, known[1]) };
  }
  const rates = tuning.rates[kindOf(shape)][m * n * batch < LARGE_OUTPUTS ? 'small' : 'large'];
  const heavy = tuning.heavy && m * n * k * batch >= HEAVY_WORK && Math.min(m, n, k) >= HEAVY_SIDE ? tuning.heavy : {};
  const fastest = Math.max(...Object.values(rates));
  const lasting = Object.entries(heavy).map(([id, times]): [string, number] => [id, times * fastest]);
  let variant: MatmulVariant | undefined;
  let best = Infinity;
  for (const [id, rate] of [...Object.entries(rates), ...lasting]) {
    const candidate = matmulVariant(id);
    const time = padded(candidate, m, n) / rate;
    if (time < best) [variant, best] = [candidate, time];
  }
  if (!variant) throw new Error('the matrix product tuning has no variants');
  const tilesM = ceilDiv(m, variant.mt * variant.wy);
  const tilesN = ceilDiv(n, variant.nt * variant.wx);
  const invocations = tilesM * tilesN * batch * variant.wx * variant.wy;
  const wanted = Math.min(MAX_SPLITS, Math.floor(k / MIN_PART), Math.ceil(tuning.fill / invocations));
  return { variant, tilesM, tilesN, ...cut(k, wanted) };
}

/** Cuts k into at most `wanted` parts of equal length, the last possibly shorter, none empty. */
function cut(k: number, wanted: number): { splits: number; part: number } {
  if (wanted <= 1) return { splits: 1, part: k };
  const part = ceilDiv(ceilDiv(k, wanted), PART_MULTIPLE) * PART_MULTIPLE;
  return { splits: ceilDiv(k, part), part };
}

/** Elements of one partial product: whole vec4s, so that each starts at one. */
const partialSize = (m: number, n: number): number => ceilDiv(m * n, 4) * 4;

/** Bytes of `scratch` with which a product of this shape is fastest on this device; 0 when it would not be split. */
export function matmulScratchBytes(tuning: MatmulTuning, shape: MatmulShape): number {
  const { splits } = plan(tuning, shape);
  return splits === 1 ? 0 : splits * (shape.batch ?? 1) * partialSize(shape.m, shape.n) * 4;
}

/** Id of the variant that `recordMatmul` uses for this shape, and the number of parts when it has the scratch it wants. */
export function describeMatmul(tuning: MatmulTuning, shape: MatmulShape): { variant: string; splits: number } {
  const { variant, splits } = plan(tuning, shape);
  return { variant: variant.id, splits };
}

/**
 * Records out = epilogue(op(a) · op(b)) as one dispatch, or two when it is split over k.
 * The result depends on the arguments and the tuning only, bit for bit; without a split it is the same for every variant but matrix units.
 * @throws Error when a size is not a positive integer, a view is too small for its matrix, or rows of halves are no multiple of 4.
 */
export function recordMatmul(recorder: Recorder, tuning: MatmulTuning, args: MatmulArgs): void {
  const { m, n, k, a, b, out, bias, gelu, dGelu, residual, scratch, batch = 1, transA = false, transB = false } = args;
  const label = args.label ?? 'matmul';
  for (const [name, size] of Object.entries({ m, n, k, batch }))
    if (!Number.isInteger(size) || size < 1) throw new Error(`${label}: ${name} is ${size}, not a positive integer`);
  const { rowOut, strideA = m * k, strideB = k * n, strideOut = rowOut === undefined ? m * n : n } = args;
  const rowLength = rowOut ?? n;
  const { halves = {} } = args;
  const check = (name: string, view: View | undefined, count: number, half = false): void => {
    const bytes = count * (half ? 2 : 4);
    if (view && view.size < bytes) throw new Error(`${label}: ${name} holds ${view.size} bytes, ${bytes} are needed`);
  };
  check('a', a, (batch - 1) * strideA + m * k, halves.a);
  check('b', b, (batch - 1) * strideB + k * n, halves.b);
  if (rowLength < n) throw new Error(`${label}: rowOut is ${rowLength}, less than the ${n} columns`);
  check('bias', bias, rowOut === undefined ? n : (batch - 1) * strideOut + n);
  const outputs = (batch - 1) * strideOut + (m - 1) * rowLength + n;
  check('out', out, outputs, halves.out);
  const pre = gelu ?? dGelu;
  check(gelu ? 'gelu' : 'dGelu', pre, outputs, halves.pre);
  check('residual', residual, outputs);

  const best = plan(tuning, args);
  const { variant, tilesM, tilesN } = best;
  const partial = partialSize(m, n);
  const room = scratch ? Math.floor(scratch.size / (4 * partial * batch)) : 0;
  const { splits, part } = best.splits <= room ? best : cut(k, Math.min(best.splits, room));
  const split = splits > 1 && scratch !== undefined;

  if (gelu && dGelu) throw new Error(`${label}: gelu and dGelu are not for one product`);
  const epilogue = {
    bias: bias !== undefined,
    gelu: gelu !== undefined,
    dGelu: dGelu !== undefined,
    residual: residual !== undefined,
    accumulate: args.accumulate,
  };
  const extra = [bias, pre, residual].filter((view) => view !== undefined);
  const quads = (length: number, stride: number): boolean => length % 4 === 0 && (batch === 1 || stride % 4 === 0);
  const vecOut = quads(n, strideOut) && rowLength % 4 === 0;
  const vecA = quads(transA ? m : k, strideA);
  const vecB = quads(transB ? k : n, strideB);
  for (const [name, half, vec] of [
    ['a', halves.a, vecA],
    ['b', halves.b, vecB],
    ['out', halves.out, vecOut],
    [gelu ? 'gelu' : 'dGelu', halves.pre, vecOut],
  ] as const)
    if (half && !vec)
      throw new Error(`${label}: ${name} is stored as halves, but its rows or its batch stride are no multiple of 4 elements`);
  if (halves.pre && !pre) throw new Error(`${label}: halves.pre says how gelu is stored, but there is no gelu`);
  const longRows = rowOut !== undefined;
  const rowParam: Record<string, number> = longRows ? { row_out: rowLength } : {};
  const form: MatmulForm = {
    transA,
    transB,
    vecA,
    vecB,
    vecOut: split ? n % 4 === 0 : vecOut,
    ...(variant.kt > 0 && { whole: k % variant.kt === 0 && part % variant.kt === 0 }),
    ...(split ? { halves: { a: halves.a, b: halves.b } } : { ...epilogue, rowOut: longRows, halves }),
  };
  const tiles = tilesM * tilesN;
  const items = batch * splits;
  recorder.dispatch(matmulKernel(variant, form), {
    label,
    params: {
      m,
      n,
      k,
      tiles,
      tiles_n: tilesN,
      items,
      splits,
      k_chunk: part,
      stride_a: strideA,
      stride_b: strideB,
      stride_out: split ? partial : strideOut,
      ...(split ? {} : rowParam),
    },
    buffers: split ? [a, b, scratch] : [a, b, out, ...extra],
    grid: foldGrid(tiles * items),
    work: 2 * m * n * k * batch,
  });
  if (!split) return;
  recorder.dispatch(matmulReduceKernel(epilogue, vecOut, longRows, halves), {
    label: `${label}.reduce`,
    params: { m, n, batch, splits, stride_partial: partial, stride_out: strideOut, ...rowParam },
    buffers: [scratch, out, ...extra],
    grid: foldGrid(ceilDiv(m * ceilDiv(n, 4) * batch, REDUCE_WORKGROUP)),
    work: m * n * batch * splits,
  });
}
