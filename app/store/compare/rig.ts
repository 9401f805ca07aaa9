import type { Experiment } from '../../protocol/experiment';
import type { DeviceReport, Fault, StepRecord } from '../../protocol/messages';
import type { RunEvaluation, RunRecord } from '../../protocol/run/record';
import { Clock } from '../clock';
import { applyReport } from '../events';
import { Frames } from '../frames';
import { Records } from '../records';
import { initialState, type AppState } from '../store';
import { WorkerClient, type Report, type WorkerLike } from '../workerClient';

/**
 * A training worker of its own, with its own device, and all that it has told: what the page knows of the run on screen, for a run
 * that is not. Nothing of it reaches the page's own state. Owns the worker until `close`.
 */
export class Rig {
  readonly client: WorkerClient;
  readonly records = new Records();
  frames = new Frames();
  clock = new Clock();
  /** Validations of the run, ascending. */
  evaluations: readonly RunEvaluation[] = [];
  /** As `applyReport` makes it of the reports; a new object with every one. */
  state: AppState = initialState();
  private opening: Promise<DeviceReport> | undefined;

  constructor(
    create: () => WorkerLike,
    private readonly changed: () => void,
  ) {
    this.client = new WorkerClient(
      create,
      (report) => this.take(report),
      (fault) => this.crashed(fault),
    );
  }

  /** Opens and measures the device, once. Its runs are not kept in the browser's storage. @throws WorkerError */
  open(): Promise<DeviceReport> {
    this.opening ??= this.client
      .send('init', { baseUrl: new URL('.', location.href).href, keep: false })
      .then((device) => {
        this.patch({ device });
        return device;
      })
      .catch((error: unknown) => {
        this.opening = undefined;
        throw error;
      });
    return this.opening;
  }

  /** Makes the experiment current, with its data: live differences reach a run, any other ends it. @throws WorkerError */
  async configure(experiment: Experiment): Promise<void> {
    await this.open();
    const { dataset } = experiment;
    if (dataset !== 'shapes' && !this.state.loaded[dataset]) {
      const info = await this.client.send('loadDataset', { name: dataset });
      this.patch({ dataset: info, loaded: { ...this.state.loaded, [dataset]: info }, dataProgress: null });
    }
    const plan = await this.client.send('configure', { experiment });
    this.patch({ plan, running: experiment });
  }

  /** Exactly `count` steps; more will follow at once, so the spectra are left to `watch`. @throws WorkerError */
  advance(count: number): Promise<StepRecord[]> {
    return this.client.send('step', { count, turn: true });
  }

  /** The exact spectra of the weights as they are; they arrive as a report, too. @throws WorkerError */
  async watch(): Promise<void> {
    await this.client.send('spectra', {});
  }

  /** Back to step 0 with the same initial weights. @throws WorkerError */
  async reset(): Promise<void> {
    this.patch({ fault: null });
    await this.client.send('reset', {});
  }

  /** Stops what runs by itself, as after a lost device. A worker that is gone has nothing to stop, and is not opened for it. */
  async halt(): Promise<void> {
    if (this.opening) await this.client.send('pause', {});
  }

  /** Ends the worker and gives its device back. */
  close(): void {
    this.client.restart();
    this.forget();
  }

  /** A fresh worker counts its runs from 1 again. */
  private forget(): void {
    this.opening = undefined;
    this.state = initialState();
    this.evaluations = [];
    this.records.begin(0, 0);
    this.frames = new Frames();
    this.clock = new Clock();
  }

  /** All that is known of the run, for keeping. */
  record(about: Pick<RunRecord, 'id' | 'name' | 'parent' | 'date'>): RunRecord {
    const { state, records, evaluations, frames, clock } = this;
    const experiment = state.running ?? state.experiment;
    return {
      ...about,
      origin: {
        device: state.device?.name ?? '',
        software: state.device?.software ?? false,
        version: __APP_VERSION__,
        trainCount: (state.loaded[experiment.dataset] ?? state.dataset)?.trainCount ?? 0,
      },
      experiment,
      phase: state.phase,
      step: state.step,
      totalSteps: state.totalSteps,
      elapsedMs: state.elapsedMs,
      marks: state.marks,
      rows: records.packed(),
      clock: clock.packed(),
      evaluations,
      frames: frames.all(),
      curves: state.curves,
    };
  }

  private take(report: Report): void {
    const { runId } = this.state;
    const change = applyReport(this.state, report);
    if (report.type === 'state') {
      this.records.begin(report.runId, report.step);
      this.frames.begin(report.runId, report.phase, report.step);
      this.clock.note(report.runId, report.phase, report.step, report.elapsedMs);
    }
    if (report.type === 'series') this.records.append(report.runId, report.from, report.rows);
    if ('runId' in report && report.runId > runId) this.evaluations = [];
    if (report.type === 'evaluation' && report.runId >= runId) {
      const { step, loss, accuracy, count } = report;
      this.evaluations = [...this.evaluations.filter((e) => e.step < step), { step, loss, accuracy, count }];
    }
    if (report.type === 'spectra' && report.runId >= runId) this.frames.push(report.step, report.matrices);
    this.patch(change);
  }

  private patch(change: Partial<AppState>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }

  private crashed(fault: Fault): void {
    this.forget();
    this.patch({ fault, phase: 'failed' });
  }
}
