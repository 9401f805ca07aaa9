/** Kernels that turn factors into weights and the gradients of weights into those of factors. */
import { ceilDiv, expand, fields, type Grid, type KernelSpec } from '../spec';
import copySource from './copy.wgsl?raw';
import productSource from './product.wgsl?raw';

/** One product of a list: out (m, n) = alpha op(A) op(B), places in elements of their arenas. */
export interface Product {
  readonly a: number;
  readonly b: number;
  readonly out: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A is stored k × m. */
  readonly transA?: boolean;
  /** B is stored n × k. */
  readonly transB?: boolean;
  /** 1 when absent. */
  readonly alpha?: number;
}

export const PRODUCT_BYTES = 44;

/** Packs a list of products for `product`. */
export function packProducts(products: readonly Product[]): Uint32Array<ArrayBuffer> {
  const words = PRODUCT_BYTES / 4;
  const out = new Uint32Array(products.length * words);
  const f = new Float32Array(out.buffer);
  products.forEach(({ a, b, out: to, m, n, k, transA, transB, alpha = 1 }, i) => {
    out.set([a, transA ? 1 : k, transA ? m : 1, b, transB ? 1 : n, transB ? k : 1, to, m, n, k], i * words);
    f[i * words + 10] = alpha;
  });
  return out;
}

/** Grid of a dispatch over these products. */
export const productGrid = (products: readonly Product[]): Grid => [
  Math.max(1, ...products.map(({ m, n }) => ceilDiv(ceilDiv(m, 4) * ceilDiv(n, 8), 64))),
  products.length,
  1,
];

/** Products `first` … of the list, as many as the grid has rows. */
export const product: KernelSpec = {
  name: 'factorize/product',
  code: expand(productSource, {}),
  params: fields('u32 first'),
  bindings: [
    { name: 'products', access: 'read' },
    { name: 'a', access: 'read' },
    { name: 'b', access: 'read' },
    { name: 'out', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** A range that lies in both arenas, in elements. */
export interface Segment {
  readonly trained: number;
  readonly effective: number;
  readonly length: number;
}

export const packSegments = (segments: readonly Segment[]): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(segments.flatMap(({ trained, effective, length }) => [trained, effective, length]));

/** Copies all segments from the trained to the effective arena, or `back`. */
export const copy: KernelSpec = {
  name: 'factorize/copy',
  code: copySource,
  params: fields('u32 back'),
  bindings: [
    { name: 'segments', access: 'read' },
    { name: 'from', access: 'read' },
    { name: 'to', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

export const copyGrid = (segments: readonly Segment[]): Grid => [
  Math.max(1, ...segments.map((s) => ceilDiv(s.length, 64))),
  segments.length,
  1,
];
