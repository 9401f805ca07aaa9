import type { Gpu } from '../gpu/device';
import { SvdBatch } from '../linalg/svdBatch';
import { copyShared } from './initial';
import type { FactorLayout } from './layout';

export interface Imported {
  readonly trained: Float32Array<ArrayBuffer>;
  /** Share of ‖W‖²_F of all factored weights that the factors hold; 1 for LoRITa. */
  readonly kept: number;
}

/**
 * Factors whose products are given weights (an effective arena).
 * LoRITa: the last factor is the weight and the others are the identity: the product is the weight, bit for bit.
 * LoRA: the best approximation of rank r by the exact SVD, shared evenly: A = V √(Σ/s), B = √(Σ/s) Uᵀ.
 */
export async function importFactors(gpu: Gpu, layout: FactorLayout, effective: Float32Array): Promise<Imported> {
  const arena = copyShared(layout, effective);
  if (layout.kind.kind === 'lorita') {
    for (const { offset, rows, cols, factors } of layout.matrices)
      factors.forEach((factor, j) => {
        if (j === factors.length - 1) arena.set(effective.subarray(offset, offset + rows * cols), factor.offset);
        else for (let i = 0; i < cols; i++) arena[factor.offset + i * (cols + 1)] = 1;
      });
    return { trained: arena, kept: 1 };
  }
  const view = gpu.upload('import.weights', effective);
  const svd = new SvdBatch(gpu, { label: 'import', matrices: layout.matrices, arena: view });
  try {
    await svd.build();
    svd.coldExact().run(Math.max(1, Math.ceil(svd.layout.maxK / 32)));
    let held = 0;
    let all = 0;
    for (const [index, { rows, cols, scale, factors }] of layout.matrices.entries()) {
      const [A, B] = factors;
      const r = A!.cols;
      const { u, s, v } = await svd.readTriplets(index, Math.min(rows, cols));
      const k = s.length;
      s.forEach((x, c) => {
        all += x * x;
        if (c < r) held += x * x;
      });
      for (let c = 0; c < r; c++) {
        const root = Math.sqrt((s[c] ?? 0) / scale);
        for (let i = 0; i < cols; i++) arena[A!.offset + i * r + c] = root * (v[i * k + c] ?? 0);
        for (let i = 0; i < rows; i++) arena[B!.offset + c * rows + i] = root * (u[i * k + c] ?? 0);
      }
    }
    return { trained: arena, kept: all > 0 ? held / all : 1 };
  } finally {
    svd.dispose();
    gpu.buffers.free(view);
  }
}
