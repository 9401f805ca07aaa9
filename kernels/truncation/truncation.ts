/** Truncated factors of weight matrices, from their singular value decompositions. */
import { ceilDiv, type Grid, type KernelSpec } from '../spec';
import { perMatrix, svdCommon } from '../svd/svd';
import source from './pack.wgsl?raw';

/** Bytes of one record of `places`: four u32. */
export const PLACE_BYTES = 16;

/** Writes the thin factors of every matrix of a table; see pack.wgsl. */
export const pack: KernelSpec = {
  name: 'truncation/pack',
  code: `${svdCommon}\n${source}`,
  params: [],
  bindings: [
    { name: 'table', access: 'read' },
    { name: 'sigma', access: 'read' },
    { name: 'factors', access: 'read' },
    { name: 'places', access: 'read' },
    { name: 'out', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

/** Singular values rounded up, so that products over them may be vectorised. */
export const paddedRank = (rank: number): number => 4 * ceilDiv(rank, 4);

/** Grid of `pack` for these matrices. */
export const packGrid = (matrices: readonly { readonly rows: number; readonly cols: number }[]): Grid =>
  perMatrix(
    Math.max(...matrices.map(({ rows, cols }) => paddedRank(Math.min(rows, cols)) * (ceilDiv(cols, 4) + ceilDiv(rows, 4)))),
    matrices.length,
  );
