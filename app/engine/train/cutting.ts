import { CURVE_FRACTIONS, CUT_IMAGES, type CutBy, type TruncationReport } from '../../protocol/truncation';
import { DeviceLostError } from '../gpu/device';
import type { Emit } from './events';
import type { Run } from './run';
import type { Truncation } from './truncation';

/** Share of the time that measuring the truncation curve beside the training may take. */
const CURVE_SHARE = 0.08;
/** A curve is about as many evaluations, with its decomposition. */
const EVALUATIONS = CURVE_FRACTIONS.length + 2;

/** While training goes on, weights up to so many milliseconds old will do for a slider. */
const STALE = 3000;

/** What the truncations of a run are asked to do, and when its curve is measured without being asked. Everything leaves as events, too. */
export class Cutting {
  private measuring: Promise<void> | undefined;
  private cancelled = false;
  /** End and duration of the last curve, milliseconds. */
  private endedAt: number | undefined;
  private cost: number | undefined;

  constructor(
    private readonly run: Run,
    private readonly runId: number,
    private readonly emit: Emit,
    /** The run stands still. */
    private readonly quiet: () => boolean,
  ) {}

  /** Images of one evaluation when nothing else is said: 1,000, but no more than the run validates on. */
  get images(): number {
    return Math.min(CUT_IMAGES, this.run.experiment.train.evalCount);
  }

  /**
   * Truncates the evaluated weights at these shares and evaluates each.
   * @param o.fresh false while training goes on: the weights of the last measurement will do
   */
  async truncate(o: {
    values: readonly number[];
    by: CutBy;
    count?: number | undefined;
    fresh?: boolean;
    stop?: () => boolean;
  }): Promise<TruncationReport> {
    const { values, by, stop, count = this.images, fresh = true } = o;
    const truncation = await this.run.truncation();
    const tell = (report: TruncationReport, total: number): void =>
      this.emit({ type: 'truncation', runId: this.runId, step: report.step, report, done: report.cuts.length, total });
    const report = await truncation.measure({
      by,
      values,
      count,
      fresh: this.takes(truncation, fresh),
      quiet: this.quiet,
      ...(stop && { stop }),
      onCut: (part) => tell(part, values.length),
    });
    if (report.cuts.length < values.length) tell(report, 0);
    return report;
  }

  /** Whether the weights are taken as they are now: when asked for, when the run stands still, and when those taken before are too old. */
  takes(truncation: Truncation, fresh: boolean): boolean {
    // A slider does not take newer weights from under a curve.
    return fresh || this.quiet() || (this.measuring === undefined && performance.now() - truncation.takenAt > STALE);
  }

  /** Measures the curve in the background when the last one is long enough ago for its cost. @param validation milliseconds of one */
  live(validation: number): void {
    const now = performance.now();
    this.endedAt ??= now - validation;
    this.cost ??= EVALUATIONS * validation;
    if (this.measuring || now - this.endedAt < this.cost / CURVE_SHARE) return;
    void this.curve();
  }

  /** Measures the curve of the weights as they are now, unasked. A curve that fails is told, and does not end the run. */
  async curve(): Promise<void> {
    await this.measuring;
    if (this.run.experiment.method.targetModules.length === 0) return;
    this.cancelled = false;
    const from = performance.now();
    const measuring = (this.measuring = this.truncate({ values: CURVE_FRACTIONS, by: 'fraction', stop: () => this.cancelled })
      .then(() => undefined)
      .catch((error: unknown) => this.tell(error)));
    await measuring;
    if (this.measuring === measuring) this.measuring = undefined;
    this.endedAt = performance.now();
    this.cost = this.endedAt - from;
  }

  private tell(error: unknown): void {
    // A lost device is told by whoever watches it.
    if (
      error instanceof DeviceLostError ||
      (error instanceof DOMException && error.name === 'AbortError') ||
      this.run.gpu.lostReason !== undefined
    )
      return;
    const message = error instanceof Error ? error.message : String(error);
    this.emit({ type: 'notice', level: 'warn', message: `The truncation curve could not be measured: ${message}` });
  }

  /** Resolves when no curve is being measured. */
  async settled(): Promise<void> {
    await this.measuring;
  }

  /** Ends a curve that nobody asked for after the evaluation under way; resolves when it has. */
  async cancel(): Promise<void> {
    this.cancelled = true;
    await this.measuring;
  }
}
