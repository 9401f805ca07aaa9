import { layoutMatrices } from '../../../kernels/svd/table';
import { PLACE_BYTES, pack, packGrid, paddedRank } from '../../../kernels/truncation/truncation';
import { slice, type View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import { Recorder, submitsFor, type Program } from '../gpu/recorder';
import { MAX_SWEEPS, SvdBatch } from '../linalg/svdBatch';
import type { SvdWorkspace } from '../linalg/svdWorkspace';
import { forwardHalves, recordLinear, type LinearArgs, type RecordLinear } from '../ops/linear';
import { matmulScratchBytes, recordMatmul, type MatmulShape, type MatmulTuning } from '../ops/matmul';
import { factoredLayout, type FactoredLayer } from './factored';
import type { WeightMatrix } from './matrices';

/** Buffers that a factored forward pass writes into. */
export interface FactoredBuffers {
  /** x rightᵀ of a layer: `thinElements` elements. */
  readonly thin: View;
  /** For products split over k. */
  readonly scratch: View;
}

/**
 * Weight matrices as products of two thin factors, W ≈ leftᵀ right, by their exact singular value decompositions on the GPU.
 * Rows go by singular value, so that a prefix of r rows is the truncation to rank r. Owns its buffers.
 */
export class FactoredWeights {
  readonly layers: readonly FactoredLayer[];
  /** f32: every factor, at the places of `layers`. */
  readonly factors: View;
  readonly svd: SvdBatch;
  private readonly places: View;
  private readonly byName: ReadonlyMap<string, FactoredLayer>;
  private readonly readback: Readback;
  private packing: Program | undefined;
  private sweeps: number | undefined;
  private ranks: readonly number[];

  /**
   * @param o.arena weights in the layout of the parameter table
   * @throws OutOfMemoryError
   */
  constructor(
    private readonly gpu: Gpu,
    private readonly o: {
      readonly matrices: readonly WeightMatrix[];
      readonly arena: View;
      /** Shared only with programs that never run in the middle of a decomposition. */
      readonly workspace?: SvdWorkspace;
    },
  ) {
    const { matrices, arena, workspace } = o;
    const { layers, elements } = factoredLayout(matrices);
    this.layers = layers;
    this.byName = new Map(layers.map((layer) => [layer.name, layer]));
    this.factors = gpu.buffers.allocate('truncation.factors', elements * 4);
    this.places = gpu.buffers.allocate('truncation.places', matrices.length * PLACE_BYTES);
    this.svd = new SvdBatch(gpu, { label: 'truncation.svd', matrices, arena, phase: 'other', workspace });
    this.readback = new Readback(gpu, 'truncation', this.svd.sigma.size + this.svd.state.size);
    this.ranks = matrices.map(() => 0);
  }

  /** Sizes of the workspace that the decomposition needs. */
  static workspaceFor(matrices: readonly WeightMatrix[]): { long: number; short: number } {
    const { long, short } = layoutMatrices(matrices);
    return { long: Math.max(1, long), short: Math.max(1, short) };
  }

  get bytes(): number {
    return this.factors.size + this.places.size + this.readback.size + this.svd.bytes;
  }

  /** Compiles and records the decomposition and the packing. */
  async build(): Promise<void> {
    const { svd, places, factors, o } = this;
    const recorder = new Recorder(this.gpu, 'truncation.pack');
    recorder.dispatch(pack, { buffers: [svd.table, svd.sigma, svd.factors, places, factors], grid: packGrid(o.matrices) });
    const [program] = await Promise.all([recorder.build(), svd.build()]);
    this.packing = program;
  }

  /** Decomposes the arena as it is now, from the last right vectors where there are any. Queued before this returns. */
  decompose(cold = this.sweeps === undefined): void {
    const { svd, gpu } = this;
    const program = cold ? svd.coldExact() : svd.exact(this.sweeps ?? MAX_SWEEPS);
    program.run(submitsFor(gpu, program));
  }

  /** Singular values of every matrix, descending; a warm decomposition that ran out of sweeps is done again from the start. */
  async sigma(): Promise<Float32Array[]> {
    const { svd } = this;
    let { status, sigma } = await this.readSvd();
    if (status.some((s) => !s.converged)) {
      this.decompose(true);
      ({ status, sigma } = await this.readSvd());
    }
    this.sweeps = SvdBatch.nextSweeps(status);
    return svd.layout.entries.map(({ s, k }) => sigma.slice(s, s + k));
  }

  private async readSvd() {
    const { svd, gpu, readback } = this;
    const encoder = gpu.device.createCommandEncoder({ label: 'truncation.read' });
    readback.copy(encoder, svd.sigma, svd.state);
    gpu.device.queue.submit([encoder.finish()]);
    const bytes = await readback.map();
    return { status: svd.parseStatus(bytes.slice(svd.sigma.size)), sigma: new Float32Array(bytes, 0, svd.sigma.size / 4) };
  }

  /** Writes the factors truncated to these ranks, one for each matrix. Queued before this returns. */
  truncate(ranks: readonly number[]): void {
    if (!this.packing) throw new Error('the factors are not built');
    this.ranks = ranks;
    const places = new Uint32Array((ranks.length * PLACE_BYTES) / 4);
    for (const { first, parts, padded, right, left } of this.layers)
      for (let i = 0; i < parts; i++)
        places.set([right.at + i * right.stride, left.at + i * left.stride, ranks[first + i]!, padded], 4 * (first + i));
    this.gpu.write(this.places, places);
    this.packing.run();
  }

  /** Rows of the factors that the products of a layer run over: the largest rank of its parts, at least one row of zeros. */
  static rows({ first, parts, padded }: FactoredLayer, ranks: readonly number[]): number {
    return Math.min(padded, paddedRank(Math.max(1, ...ranks.slice(first, first + parts))));
  }

  /** Linear layers by the two thin products at these ranks; layers without factors as they are. */
  linear(ranks: readonly number[], { thin, scratch }: FactoredBuffers): RecordLinear {
    return (recorder, tuning, args) => {
      const layer = this.byName.get(args.label);
      if (!layer) recordLinear(recorder, tuning, args);
      else this.record(recorder, tuning, args, layer, FactoredWeights.rows(layer, ranks), thin, scratch);
    };
  }

  private record(
    recorder: Recorder,
    tuning: MatmulTuning,
    args: LinearArgs,
    layer: FactoredLayer,
    rank: number,
    thin: View,
    scratch: View,
  ): void {
    const { parts, inputs, outputs, padded, right, left } = layer;
    const { rows, x, bias, out, gelu, residual, label } = args;
    const { a: ofInput, ...ofOutput } = forwardHalves(args);
    const factor = (place: { at: number; stride: number }, length: number): View =>
      slice(this.factors, place.at, (parts - 1) * place.stride + padded * length);
    recordMatmul(recorder, tuning, {
      ...thinProduct(rows, inputs, rank, parts),
      a: x,
      b: factor(right, inputs),
      out: thin,
      strideA: 0,
      strideB: right.stride,
      halves: { a: ofInput },
      scratch,
      label: `${label}.right`,
    });
    recordMatmul(recorder, tuning, {
      ...wideProduct(rows, outputs, rank, parts),
      a: thin,
      b: factor(left, outputs),
      out,
      strideB: left.stride,
      // Q, K and V lie side by side in each row.
      ...(parts > 1 && { rowOut: parts * outputs }),
      bias,
      gelu,
      residual,
      halves: ofOutput,
      scratch,
      label: `${label}.left`,
    });
  }

  /** Bytes of scratch with which the products of a pass over `rows` of each layer are fastest at any rank. */
  scratchBytes(tuning: MatmulTuning, rows: ReadonlyMap<string, number>): number {
    let most = 0;
    for (const { name, parts, inputs, outputs, padded } of this.layers)
      for (let rank = 4; rank <= padded; rank += 4)
        for (const shape of [thinProduct(rows.get(name) ?? 1, inputs, rank, parts), wideProduct(rows.get(name) ?? 1, outputs, rank, parts)])
          most = Math.max(most, matmulScratchBytes(tuning, shape));
    return most;
  }

  /** The factors as last truncated, W ≈ B A: A [rank, cols] and B [rows, rank] of every matrix, row-major. */
  async read(): Promise<{ a: Float32Array; b: Float32Array }[]> {
    const all = await this.gpu.readFloats(this.factors);
    const { ranks } = this;
    return this.layers.flatMap(({ first, parts, inputs, outputs, right, left }) =>
      Array.from({ length: parts }, (_, i) => {
        const rank = ranks[first + i]!;
        const a = all.slice(right.at + i * right.stride, right.at + i * right.stride + rank * inputs);
        const b = new Float32Array(outputs * rank);
        for (let r = 0; r < rank; r++)
          for (let o = 0; o < outputs; o++) b[o * rank + r] = all[left.at + i * left.stride + r * outputs + o]!;
        return { a, b };
      }),
    );
  }

  dispose(): void {
    this.packing?.dispose();
    this.svd.dispose();
    this.readback.dispose();
    this.gpu.buffers.free(this.factors);
    this.gpu.buffers.free(this.places);
  }
}

const thinProduct = (rows: number, inputs: number, rank: number, parts: number) =>
  ({ m: rows, n: rank, k: inputs, transB: true, batch: parts }) as const satisfies MatmulShape;
const wideProduct = (rows: number, outputs: number, rank: number, parts: number) =>
  ({ m: rows, n: outputs, k: rank, batch: parts }) as const satisfies MatmulShape;
