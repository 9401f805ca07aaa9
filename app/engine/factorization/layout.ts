import type { Product, Segment } from '../../../kernels/factorize/factorize';

/** The parameter table of a model, as far as a factorization reads it. */
export interface ArenaEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element, a multiple of 64. */
  readonly offset: number;
  readonly length: number;
}
export interface ArenaTable {
  readonly entries: readonly ArenaEntry[];
  readonly byName: ReadonlyMap<string, ArenaEntry>;
  /** Elements, padding included. */
  readonly total: number;
  /** Parameters. */
  readonly count: number;
}

/** A weight, or whole rows of one, that is to be a product. */
export interface FactorTarget {
  readonly name: string;
  /** First element in the effective arena. */
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
  /** Inner size of a LoRA product, 1 to min(rows, cols). */
  readonly rank?: number;
}

export interface FactorMatrix {
  /** `blocks.0.attn.qkv.weight[0].lorita.1`, or `….lora.A`. */
  readonly name: string;
  /** First element in the trained arena. */
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
}

/** A weight with its factors. LoRA: W = scale · Bᵀ Aᵀ, A [cols, r], B [r, rows]. LoRITa: W = F_N … F_1, all but the last square. */
export interface FactoredMatrix extends FactorTarget {
  readonly scale: number;
  readonly factors: readonly FactorMatrix[];
}

export type FactorKind = { readonly kind: 'lora'; readonly alpha: number } | { readonly kind: 'lorita'; readonly depth: number };

/** Where the trained parameters lie, and how the weights that the model reads follow from them. */
export interface FactorLayout {
  readonly kind: FactorKind;
  /** The trained arena: factors in the place of what they stand for, every other parameter as it is. */
  readonly trained: ArenaTable;
  readonly effective: ArenaTable;
  readonly matrices: readonly FactoredMatrix[];
  /** What is the same in both arenas. */
  readonly shared: readonly Segment[];
}

const ALIGNMENT = 64;

/**
 * Lays out the trained arena. Targets are whole rows of two-dimensional parameters and do not overlap; the rows of a parameter
 * that no target covers stay a parameter of their own, `name(from-to)`.
 * Undefined when nothing is a product: no targets, or LoRITa of depth 1, which is the dense layer.
 */
export function factorLayout(effective: ArenaTable, targets: readonly FactorTarget[], kind: FactorKind): FactorLayout | undefined {
  if (targets.length === 0 || (kind.kind === 'lorita' && kind.depth < 2)) return undefined;
  const entries: ArenaEntry[] = [];
  const matrices: FactoredMatrix[] = [];
  const shared: Segment[] = [];
  let total = 0;
  let count = 0;
  const add = (name: string, shape: readonly number[]): ArenaEntry => {
    const length = shape.reduce((a, b) => a * b, 1);
    const entry = { name, shape, offset: total, length };
    entries.push(entry);
    total += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    count += length;
    return entry;
  };
  const keep = (name: string, shape: readonly number[], at: number): void => {
    const { offset: trained, length } = add(name, shape);
    const last = shared.at(-1);
    // Neighbours in both arenas become one segment; what lies between them is padding.
    if (last && at - last.effective === trained - last.trained && at - (last.effective + last.length) < ALIGNMENT)
      shared[shared.length - 1] = { ...last, length: at + length - last.effective };
    else shared.push({ trained, effective: at, length });
  };
  const split = (t: FactorTarget): void => {
    const matrix = (name: string, rows: number, cols: number): FactorMatrix => {
      const { offset } = add(name, [rows, cols]);
      return { name, offset, rows, cols };
    };
    if (kind.kind === 'lora') {
      const r = t.rank ?? 1;
      const factors = [matrix(`${t.name}.lora.A`, t.cols, r), matrix(`${t.name}.lora.B`, r, t.rows)];
      matrices.push({ ...t, scale: kind.alpha / r, factors });
    } else {
      const factors = Array.from({ length: kind.depth }, (_, i) =>
        matrix(`${t.name}.lorita.${i + 1}`, i === kind.depth - 1 ? t.rows : t.cols, t.cols),
      );
      matrices.push({ ...t, scale: 1, factors });
    }
  };
  for (const { name, shape, offset, length } of effective.entries) {
    const inside = targets.filter((t) => t.offset >= offset && t.offset < offset + length).sort((a, b) => a.offset - b.offset);
    if (inside.length === 0) {
      keep(name, shape, offset);
      continue;
    }
    const cols = inside[0]!.cols;
    let row = 0;
    const rest = (to: number): void => {
      if (to > row) keep(`${name}(${row}-${to})`, [to - row, cols], offset + row * cols);
    };
    for (const t of inside) {
      const from = (t.offset - offset) / cols;
      rest(from);
      split(t);
      row = from + t.rows;
    }
    rest(length / cols);
  }
  return { kind, trained: { entries, byName: new Map(entries.map((e) => [e.name, e])), total, count }, effective, matrices, shared };
}

/** The buffers of the products: trained parameters and their gradients, effective ones, and what a long chain leaves in between. */
export type Operand = 'params' | 'grads' | 'weights' | 'weightGrads' | 'chain0' | 'chain1' | 'back0' | 'back1';

/** One dispatch over all matrices. */
export interface ProductStage {
  readonly a: Operand;
  readonly b: Operand;
  readonly out: Operand;
  readonly products: readonly Product[];
}

export interface ProductPlan {
  /** Factors to weights. */
  readonly compose: readonly ProductStage[];
  /** Gradients of the weights to gradients of the factors; reads what `compose` left in the chain buffers. */
  readonly backward: readonly ProductStage[];
  /** Elements of the chain buffers. */
  readonly sizes: Readonly<Record<'chain0' | 'chain1' | 'back0' | 'back1', number>>;
}

/**
 * The products of a layout.
 * LoRA: dA = s dWᵀ Bᵀ, dB = s Aᵀ dWᵀ.
 * LoRITa, with R_j = F_j … F_1 and D_N = dW: dF_j = D_j R_{j−1}ᵀ, D_{j−1} = F_jᵀ D_j.
 */
export function productPlan({ kind, matrices }: FactorLayout): ProductPlan {
  const sizes = { chain0: 0, chain1: 0, back0: 0, back1: 0 };
  if (kind.kind === 'lora') {
    const parts = matrices.map(({ offset, rows, cols, scale, factors: [A, B] }) => {
      const [a, b, k] = [A!.offset, B!.offset, A!.cols];
      return {
        w: { a: b, b: a, out: offset, m: rows, n: cols, k, transA: true, transB: true, alpha: scale },
        dA: { a: offset, b, out: a, m: cols, n: k, k: rows, transA: true, transB: true, alpha: scale },
        dB: { a, b: offset, out: b, m: k, n: rows, k: cols, transA: true, transB: true, alpha: scale },
      };
    });
    return {
      compose: [{ a: 'params', b: 'params', out: 'weights', products: parts.map((p) => p.w) }],
      backward: [
        { a: 'weightGrads', b: 'params', out: 'grads', products: parts.map((p) => p.dA) },
        { a: 'params', b: 'weightGrads', out: 'grads', products: parts.map((p) => p.dB) },
      ],
      sizes,
    };
  }
  const N = kind.depth;
  const chainOf = (j: number): Operand => (j === 1 ? 'params' : j === N ? 'weights' : j % 2 === 0 ? 'chain0' : 'chain1');
  const backOf = (j: number): Operand => (j === N ? 'weightGrads' : j === 1 ? 'grads' : j % 2 === 0 ? 'back0' : 'back1');
  const compose: { a: Operand; b: Operand; out: Operand; products: Product[] }[] = [];
  for (let j = 2; j <= N; j++) compose.push({ a: 'params', b: chainOf(j - 1), out: chainOf(j), products: [] });
  const backward: typeof compose = [];
  for (let j = N; j >= 2; j--) {
    backward.push({ a: backOf(j), b: chainOf(j - 1), out: 'grads', products: [] });
    backward.push({ a: 'params', b: backOf(j), out: backOf(j - 1), products: [] });
  }
  for (const { offset, rows, cols, factors } of matrices) {
    const n = cols;
    const square = n * n;
    // R_j lives to the backward pass, each in a place of its own; D_j only until D_{j−2} replaces it.
    const chainAt: number[] = [0, factors[0]!.offset];
    const backAt: number[] = [];
    const room: { chain0: number; chain1: number; back0: number; back1: number } = { ...sizes };
    for (let j = 2; j < N; j++) {
      const chain = j % 2 === 0 ? 'chain0' : 'chain1';
      chainAt[j] = sizes[chain];
      sizes[chain] += square;
      const back = j % 2 === 0 ? 'back0' : 'back1';
      backAt[j] = room[back];
      sizes[back] = room[back] + square;
    }
    chainAt[N] = offset;
    backAt[N] = offset;
    backAt[1] = factors[0]!.offset;
    for (let j = 2; j <= N; j++) {
      const last = j === N;
      compose[j - 2]!.products.push({ a: factors[j - 1]!.offset, b: chainAt[j - 1]!, out: chainAt[j]!, m: last ? rows : n, n, k: n });
      const height = last ? rows : n;
      const at = 2 * (N - j);
      backward[at]!.products.push({
        a: backAt[j]!,
        b: chainAt[j - 1]!,
        out: factors[j - 1]!.offset,
        m: height,
        n,
        k: n,
        transB: true,
      });
      backward[at + 1]!.products.push({
        a: factors[j - 1]!.offset,
        b: backAt[j]!,
        out: backAt[j - 1]!,
        m: n,
        n,
        k: height,
        transA: true,
      });
    }
  }
  return { compose, backward, sizes };
}

/** Floating-point operations of a composition and of one mapping of gradients. */
export function productFlops(layout: FactorLayout): number {
  const { compose, backward } = productPlan(layout);
  return [...compose, ...backward].flatMap((s) => s.products).reduce((sum, p) => sum + 2 * p.m * p.n * p.k, 0);
}

/** Bytes on the GPU besides the trained parameters and their gradients: both effective arenas, chains and tables. */
export function factorBytes(layout: FactorLayout): number {
  const { sizes } = productPlan(layout);
  return 8 * layout.effective.total + 4 * Object.values(sizes).reduce((a, b) => a + b, 0);
}
