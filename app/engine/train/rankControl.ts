import type { Experiment } from '../../protocol/experiment';
import type { MatrixSpectrum } from '../../protocol/messages';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import type { Program } from '../gpu/recorder';
import { SvdBatch, SvdWorkspace, type MatrixStatus, type Tolerance } from '../linalg/svdBatch';
import { Q3rRegularizer, type Q3rSavedState } from '../regularizers/q3r/regularizer';
import { spectrumFigures } from '../regularizers/q3r/figures';
import type { PlannedMatrix } from './plan';

/** A display refresh that takes longer than this is cut into several submits, milliseconds. */
const SUBMIT_TARGET = 60;

/**
 * Everything that a run does with singular values: the regularizer with its refreshes, and the exact spectra that the page
 * shows of every matrix, the dense baseline's included. The display has its own decomposition, so that watching never
 * changes a run.
 */
export class RankControl {
  /** Absent in a dense run. */
  readonly q3r: Q3rRegularizer | undefined;
  private readonly monitor: SvdBatch;
  /** Scratch of all decompositions of the run, none of which is ever cut by another. */
  readonly workspace: SvdWorkspace;
  private readonly readback: Readback;
  private watched: MatrixStatus[] | undefined;
  private watching: Promise<unknown> = Promise.resolve();
  private parts = 1;
  /** Status of the last refresh, once it has landed. */
  private last: Promise<MatrixStatus[]> | undefined;
  private lastStatus: MatrixStatus[] | undefined;

  constructor(
    private readonly gpu: Gpu,
    o: { experiment: Experiment; matrices: readonly PlannedMatrix[]; params: View },
    private matrices: readonly PlannedMatrix[] = o.matrices,
  ) {
    const { method, train } = o.experiment;
    const acted = method.name === 'adamw' ? [] : matrices.filter((m) => targeted(o.experiment, m));
    // Refreshes, the operator and the display never run at the same time.
    this.workspace = SvdWorkspace.forAll(gpu, 'rank', [matrices, acted]);
    if (acted.length > 0)
      this.q3r = new Q3rRegularizer(gpu, {
        matrices: acted,
        params: o.params,
        svd: method.svd,
        oversample: method.oversample,
        powerIterations: method.powerIterations,
        epsilonSchedule: method.epsilonSchedule,
        epsilonN: method.epsilonN,
        seed: train.seed,
        workspace: this.workspace,
      });
    this.monitor = new SvdBatch(gpu, {
      label: 'monitor',
      matrices,
      arena: o.params,
      vectors: false,
      phase: 'other',
      workspace: this.workspace,
    });
    this.readback = new Readback(gpu, 'spectra', this.monitor.sigma.size + this.monitor.state.size);
  }

  async build(): Promise<void> {
    await Promise.all([this.monitor.build(), this.q3r?.build()]);
  }

  /** Views to copy behind a step that refreshes, and their size. */
  get statusViews(): View[] {
    return this.q3r ? [this.q3r.status] : [];
  }
  get statusBytes(): number {
    return this.q3r?.status.size ?? 0;
  }

  private due(t: number, every: number): boolean {
    return this.q3r !== undefined && (t - 1) % every === 0;
  }

  /** Resolves when step t may be submitted: a refresh depends on what the one before it has reported. */
  async ready(t: number, every: number): Promise<void> {
    if (this.due(t, every)) await this.last;
  }

  /** Programs that step t runs first: a refresh every `every` steps, from the first on. */
  refreshFor(t: number, every: number): Program[] {
    return this.q3r && this.due(t, every) ? [this.q3r.nextRefresh(this.lastStatus)] : [];
  }

  /** Takes the status that a refreshing step leaves. */
  observe(landed: Promise<ArrayBuffer>): void {
    const { q3r } = this;
    if (!q3r) return;
    this.last = landed.then((bytes) => (this.lastStatus = q3r.parseStatus(bytes)));
    this.last.catch(() => undefined);
  }

  /** All singular values of every matrix as it is now, with the regularizer's figures of its last refresh. */
  spectra(lambda: number, tolerance: Tolerance): Promise<MatrixSpectrum[]> {
    const next = this.watching.then(() => this.measure(lambda, tolerance));
    this.watching = next.catch(() => undefined);
    return next;
  }

  private async measure(lambda: number, tolerance: Tolerance): Promise<MatrixSpectrum[]> {
    const { gpu, monitor } = this;
    const program = monitor.exact(SvdBatch.nextSweeps(this.watched), tolerance);
    const from = performance.now();
    program.run(this.parts);
    const encoder = gpu.device.createCommandEncoder({ label: 'spectra' });
    this.readback.copy(encoder, monitor.sigma, monitor.state);
    gpu.device.queue.submit([encoder.finish()]);
    const bytes = await this.readback.map();
    this.parts = Math.max(1, Math.ceil((performance.now() - from) / SUBMIT_TARGET));
    this.watched = monitor.parseStatus(bytes.slice(monitor.sigma.size));
    const sigma = new Float32Array(bytes, 0, monitor.sigma.size / 4);
    const status = this.statusByName();
    return this.matrices.map((m, i): MatrixSpectrum => {
      const { offset: _, ...plan } = m;
      const { s, k } = monitor.layout.entries[i]!;
      const values = sigma.slice(s, s + k);
      const known = m.regularized ? status.get(m.name) : undefined;
      const epsilon = known && known.refreshes > 0 ? known.epsilon : NaN;
      return {
        ...plan,
        sigma: values,
        epsilon,
        envelopeRank: known?.envelope ?? 0,
        sketch: known?.sketch ?? 0,
        residual: known?.residual ?? 0,
        ...spectrumFigures(values, m.targetRank),
        value: Number.isNaN(epsilon) ? 0 : lambda * values.reduce((sum, x) => sum + Math.min(x, epsilon) ** 2, 0),
      };
    });
  }

  private statusByName(): Map<string, MatrixStatus> {
    const { q3r, lastStatus } = this;
    return new Map(lastStatus && q3r ? q3r.matrices.map((m, i) => [m.name, lastStatus[i]!]) : []);
  }

  /** New target ranks from the next refresh on. */
  setTargetRanks(matrices: readonly PlannedMatrix[]): void {
    this.matrices = matrices;
    const { q3r } = this;
    if (!q3r) return;
    const ranks = new Map(matrices.map((m) => [m.name, m.targetRank]));
    q3r.setTargetRanks(q3r.matrices.map((m) => ranks.get(m.name) ?? m.targetRank));
  }

  /** GPU state that a snapshot keeps, and the part of it that lives on the CPU. */
  get stateViews(): View[] {
    return this.q3r?.stateViews ?? [];
  }
  /** Captured when called; the status of a refresh that is still in flight is waited for. */
  async saveState(): Promise<{ q3r: Q3rSavedState | undefined; status: MatrixStatus[] | undefined }> {
    const q3r = this.q3r?.saveState();
    return { q3r, status: await this.last };
  }
  restoreState(saved: unknown): void {
    const { q3r, status } = saved as Awaited<ReturnType<RankControl['saveState']>>;
    if (q3r) this.q3r?.restoreState(q3r);
    this.lastStatus = status;
    this.last = status && Promise.resolve(status);
  }

  /** As at step 0. */
  reset(): void {
    this.q3r?.reset();
    this.lastStatus = undefined;
    this.last = undefined;
  }

  dispose(): void {
    this.q3r?.dispose();
    this.monitor.dispose();
    this.workspace.dispose();
    this.readback.dispose();
  }
}

/** The method acts on the matrix, or would with a lower target rank. */
function targeted({ method }: Experiment, { kind }: PlannedMatrix): boolean {
  const module = kind === 'q' || kind === 'k' || kind === 'v' ? 'qkv' : kind;
  return (method.targetModules as readonly string[]).includes(module);
}
