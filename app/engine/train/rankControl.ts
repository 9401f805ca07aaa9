import type { Experiment } from '../../protocol/experiment';
import type { MatrixSpectrum } from '../../protocol/messages';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { Readback } from '../gpu/readback';
import type { Program } from '../gpu/recorder';
import { SvdBatch, parseStatusOf, type MatrixStatus, type Tolerance } from '../linalg/svdBatch';
import type { SavedView } from '../linalg/svdFactors';
import { SvdWorkspace, groupMatrices, type Lend } from '../linalg/svdWorkspace';
import type { FactorLayout } from '../factorization/layout';
import { HoyerRegularizer, hoyerValueOf } from '../regularizers/hoyer/regularizer';
import { spectrumFigures } from '../regularizers/q3r/figures';
import { Q3rRegularizer } from '../regularizers/q3r/regularizer';
import type { Regularizer } from '../regularizers/regularizer';
import { actedMatrices, planOf, techniqueOf, type PlannedMatrix } from './matrices';
import { requireLike } from './plainData';
import type { SpectralPlan } from './recipe';

/** A display refresh that takes longer than this is cut into several submits, milliseconds. */
const SUBMIT_TARGET = 60;

/**
 * Everything that a run does with singular values: the regularizer with its refreshes, and the exact spectra that the page
 * shows of every matrix, the dense baseline's included. The display has its own decomposition, so that watching never
 * changes a run.
 */
export class RankControl {
  /** Absent where nothing regularizes. Acts on the trained parameters: on the factors, where there are any. */
  readonly regularizer: Regularizer | undefined;
  /** Of successive matrices each. */
  private readonly monitors: readonly SvdBatch[];
  /**
   * Scratch of all decompositions of the run, none of which is ever cut by another, nor by a forward or backward pass: it may lie in what
   * these leave behind.
   */
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
    private readonly o: {
      experiment: Experiment;
      matrices: readonly PlannedMatrix[];
      /** Trained parameters, and the weights that are shown: the same view unless `layout` is given. */
      params: View;
      weights: View;
      layout?: FactorLayout | undefined;
      /** See `spectralPlan`. */
      plan: SpectralPlan;
      /** See `VitModel.lend`. */
      lend: Lend;
    },
    private matrices: readonly PlannedMatrix[] = o.matrices,
  ) {
    const { method, train } = o.experiment;
    const acted = actedMatrices(matrices, method, o.layout);
    // Refreshes, the operator and the display never run at the same time.
    this.workspace = new SvdWorkspace(gpu, 'rank', o.plan.size, o.lend);
    const common = { matrices: acted, params: o.params, seed: train.seed, workspace: this.workspace };
    if (acted.length === 0) this.regularizer = undefined;
    else if (techniqueOf(method).regularizer === 'hoyer')
      this.regularizer = new HoyerRegularizer(gpu, { ...common, square: method.name === 'hoyerSquare' });
    else
      this.regularizer = new Q3rRegularizer(gpu, {
        ...common,
        groups: groupMatrices(acted, o.plan.most),
        svd: method.svd,
        oversample: method.oversample,
        powerIterations: method.powerIterations,
        epsilonSchedule: method.epsilonSchedule,
        epsilonN: method.epsilonN,
      });
    this.monitors = groupMatrices(matrices, o.plan.most).map(
      (group) =>
        new SvdBatch(gpu, {
          label: 'monitor',
          matrices: group,
          arena: o.weights,
          vectors: false,
          phase: 'other',
          workspace: this.workspace,
        }),
    );
    this.readback = new Readback(
      gpu,
      'spectra',
      this.monitors.reduce((sum, { sigma, state }) => sum + sigma.size + state.size, 0),
    );
  }

  /** What the last refresh reported, once it has landed. */
  get status(): readonly MatrixStatus[] | undefined {
    return this.lastStatus;
  }
  /** The regularizer where it is Q3R. */
  get q3r(): Q3rRegularizer | undefined {
    return this.regularizer instanceof Q3rRegularizer ? this.regularizer : undefined;
  }

  async build(): Promise<void> {
    await Promise.all([...this.monitors.map((monitor) => monitor.build()), this.regularizer?.build()]);
  }

  /** Views to copy behind a step that refreshes, and their size. */
  get statusViews(): readonly View[] {
    return this.regularizer?.statusViews ?? [];
  }
  get statusBytes(): number {
    return this.statusViews.reduce((sum, { size }) => sum + size, 0);
  }

  private due(t: number, every: number): boolean {
    return this.regularizer !== undefined && (t - 1) % every === 0;
  }

  /** Resolves when step t may be submitted: a refresh depends on what the one before it has reported. @throws OutOfMemoryError */
  async ready(t: number, every: number): Promise<void> {
    if (!this.due(t, every)) return;
    await this.last;
    await this.regularizer?.prepare?.(this.lastStatus);
  }

  /** Programs that step t runs first: a refresh every `every` steps, from the first on. */
  refreshFor(t: number, every: number): Program[] {
    return this.regularizer && this.due(t, every) ? [this.regularizer.nextRefresh(this.lastStatus)] : [];
  }

  /** Takes the status that a refreshing step leaves. */
  observe(landed: Promise<ArrayBuffer>): void {
    const { regularizer } = this;
    if (!regularizer) return;
    this.last = landed.then((bytes) => (this.lastStatus = regularizer.parseStatus(bytes)));
    this.last.catch(() => undefined);
  }

  /** All singular values of every matrix as it is now, with the regularizer's figures of its last refresh. */
  spectra(lambda: number, tolerance: Tolerance): Promise<MatrixSpectrum[]> {
    const next = this.watching.then(() => this.measure(lambda, tolerance));
    this.watching = next.catch(() => undefined);
    return next;
  }

  private async measure(lambda: number, tolerance: Tolerance): Promise<MatrixSpectrum[]> {
    const { gpu, monitors } = this;
    const sweeps = SvdBatch.nextSweeps(this.watched);
    const from = performance.now();
    for (const monitor of monitors) monitor.exact(sweeps, tolerance).run(Math.ceil(this.parts / monitors.length));
    const encoder = gpu.device.createCommandEncoder({ label: 'spectra' });
    this.readback.copy(encoder, ...monitors.map(({ sigma }) => sigma), ...monitors.map(({ state }) => state));
    gpu.device.queue.submit([encoder.finish()]);
    const bytes = await this.readback.map();
    this.parts = Math.max(1, Math.ceil((performance.now() - from) / SUBMIT_TARGET));
    let at = 0;
    const spectra = monitors.flatMap(({ sigma, layout }) => {
      const all = new Float32Array(bytes, at, sigma.size / 4);
      at += sigma.size;
      return layout.entries.map(({ s, k }) => all.slice(s, s + k));
    });
    this.watched = parseStatusOf(monitors, bytes.slice(at));
    const status = this.statusByName();
    return this.matrices.map((m, i): MatrixSpectrum => {
      const values = spectra[i]!;
      const known = m.regularized ? status.get(m.name) : undefined;
      const pull = lambda * (m.lambdaScale ?? 1);
      const epsilon = known && known.refreshes > 0 ? known.epsilon : NaN;
      return {
        ...planOf(m),
        sigma: values,
        epsilon,
        envelopeRank: known?.envelope ?? 0,
        sketch: known?.sketch ?? 0,
        residual: known?.residual ?? 0,
        ...spectrumFigures(values, m.targetRank),
        value:
          this.regularizer instanceof HoyerRegularizer && m.regularized
            ? pull * hoyerValueOf(values, this.regularizer.square)
            : Number.isNaN(epsilon)
              ? 0
              : pull * values.reduce((sum, x) => sum + Math.min(x, epsilon) ** 2, 0),
      };
    });
  }

  /** Of Q3R alone: the Hoyer measure has neither ε nor an envelope. */
  private statusByName(): Map<string, MatrixStatus> {
    const { q3r, lastStatus } = this;
    return new Map(lastStatus && q3r ? q3r.matrices.map((m, i) => [m.name, lastStatus[i]!]) : []);
  }

  /** Other target ranks and factors of λ of the same matrices. */
  tune(matrices: readonly PlannedMatrix[]): void {
    this.matrices = matrices;
    const acted = actedMatrices(matrices, this.o.experiment.method, this.o.layout);
    this.regularizer?.tune(
      acted.map((m) => m.targetRank),
      acted.map((m) => m.lambdaScale ?? 1),
    );
  }

  /** GPU state that a snapshot keeps, and the part of it that lives on the CPU. */
  get stateViews(): readonly SavedView[] {
    return this.regularizer?.stateViews ?? [];
  }
  /** Captured when called; the status of a refresh that is still in flight is waited for. */
  async saveState(): Promise<{ regularizer: unknown; status: MatrixStatus[] | undefined }> {
    const regularizer = this.regularizer?.saveState();
    return { regularizer, status: await this.last };
  }
  /** @throws Error when it is of another form */
  restoreState(saved: unknown): void {
    const { regularizer, status } = saved as Awaited<ReturnType<RankControl['saveState']>>;
    // It may come from a file; a status decides how the next refresh is made.
    if (status) requireLike(status, this.regularizer?.parseStatus(new ArrayBuffer(this.statusBytes)) ?? [], 'status');
    if (regularizer) this.regularizer?.restoreState(regularizer);
    this.lastStatus = status;
    this.last = status && Promise.resolve(status);
  }

  /** As at step 0. */
  reset(): void {
    this.regularizer?.reset();
    this.lastStatus = undefined;
    this.last = undefined;
  }

  dispose(): void {
    this.regularizer?.dispose();
    for (const monitor of this.monitors) monitor.dispose();
    this.workspace.dispose();
    this.readback.dispose();
  }
}
