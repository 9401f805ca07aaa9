import type { Experiment } from '../../protocol/experiment';
import type { Batch, Mark, MatrixSpectrum, RunPhase, StepRecord, Timing } from '../../protocol/messages';
import { DeviceLostError } from '../gpu/device';
import type { Keeper } from './autosave';
import type { Checkpoint } from './checkpoint';
import { Cutting } from './cutting';
import { FaultError, faultOf, type Emit } from './events';
import { LOSS_SCALE, lossScaleAt, withLossScale } from '../../protocol/lossScale';
import { RECORD_WIDTH } from '../../protocol/run/record';
import { explainHalt, haltOf } from './halt';
import { History } from './history';
import { Pace } from './pace';
import type { Run, StepResult } from './run';
import type { Snapshot } from './snapshot';
import { Snapshots } from './snapshots';
import { Watch } from './watch';

/** Milliseconds between chart updates. */
const SERIES_INTERVAL = 200;
/** A run that pauses is kept at once when its last snapshot is older than this, else after as long, in case it goes on. */
const PAUSE_SNAPSHOT_AGE = 1000;

/**
 * Drives one run: keeps steps in flight, records what comes back, watches spectra, validates, takes snapshots and stops at
 * the first value that is not finite. Owns the run and its history; all results leave as events.
 */
export class Trainer {
  readonly history: History;
  readonly cutting: Cutting;
  phase: RunPhase = 'idle';
  /** Steps submitted. */
  step = 0;
  private target = 0;
  private elapsed = 0;
  private startedAt = 0;
  private loop: Promise<void> | undefined;
  private stopping = false;
  /** While it is there no step is submitted; resolves when they may go on, or the run is to stop. */
  private held: Promise<void> | undefined;
  private letGo: () => void = () => undefined;
  /** The steps under way are one of many turns. */
  private turn = false;
  readonly snapshots: Snapshots;
  private pauseTimer: ReturnType<typeof setTimeout> | undefined;
  /** Settings that changed while the run went on. */
  readonly marks: Mark[] = [];
  /** Keeps the run beyond this visit. */
  keeper: Keeper | undefined;
  private readonly watch: Watch;
  private validating: Promise<void> = Promise.resolve();
  private seriesAt = 0;
  /** Steps whose records the page has. */
  private sent = 0;
  private readonly pace = new Pace();
  private failure: FaultError | DeviceLostError | undefined;
  smoothing = 0.9;

  constructor(
    readonly run: Run,
    readonly runId: number,
    private readonly emit: Emit,
  ) {
    this.history = new History(runId);
    this.cutting = new Cutting(run, runId, emit, () => this.phase !== 'running');
    this.watch = new Watch(run, runId, emit);
    this.snapshots = new Snapshots({
      run,
      step: () => this.step,
      landed: () => this.landed,
      failed: () => this.failure !== undefined,
      settled: () => this.settled(),
      keeps: () => this.keeper !== undefined,
      keep: (snapshot, of) => this.keeper?.offer(this, snapshot, of),
      // Nothing is lost when a paused run cannot be copied: what broke is told by the next step.
      onError: (error) => (this.loop ? this.fail(error) : undefined),
    });
  }

  get experiment(): Experiment {
    return this.run.experiment;
  }

  /** Steps whose results have arrived. */
  get landed(): number {
    return this.history.length;
  }

  /** Continues until paused, finished, or `steps` more have been made. Returns when the loop has begun. */
  start(steps?: number): void {
    if (this.loop) return;
    if (this.phase === 'failed') throw new Error('The run has failed; reset it or go back to its last snapshot.');
    const end = this.run.experiment.train.steps;
    // A finished run that is asked for more goes on at the end of its schedule.
    this.target = steps === undefined ? (this.step >= end ? Infinity : end) : this.step + steps;
    this.stopping = false;
    clearTimeout(this.pauseTimer);
    this.phase = 'running';
    this.startedAt = performance.now();
    this.pace.begin();
    this.emitState();
    this.loop = this.runLoop().finally(() => {
      this.loop = undefined;
    });
  }

  /**
   * Leaves the device to somebody else between two steps, the run's clock stopped: resolves to what lets the steps go on, when
   * nothing of the run is under way. A pause is heard all the same.
   */
  async hold(): Promise<() => void> {
    const from = performance.now();
    this.held = new Promise((resolve) => (this.letGo = resolve));
    const others = [this.watch.settled(), this.snapshots.settled(), this.validating, this.cutting.settled()];
    await Promise.allSettled([...others, this.run.gpu.idle()]);
    return () => {
      const lost = performance.now() - from;
      if (this.phase === 'running') this.startedAt += lost;
      this.pace.skip();
      this.held = undefined;
      this.letGo();
    };
  }

  /** Stops after the steps in flight; resolves when their results are recorded. */
  async pause(): Promise<void> {
    this.stopping = true;
    this.letGo();
    await this.loop;
  }

  /** Exactly `count` steps from a paused run; a `turn` leaves its spectra to whoever asks for the turns. @throws FaultError or DeviceLostError when one of them fails. */
  async steps(count: number, turn = false): Promise<StepRecord[]> {
    await this.pause();
    const from = this.landed + 1;
    this.turn = turn;
    try {
      this.start(count);
      await this.loop;
    } finally {
      this.turn = false;
    }
    if (this.failure) throw this.failure;
    return this.records(from);
  }

  /** What is known of the steps from `from` on. */
  records(from = 1): StepRecord[] {
    return withLossScale(this.history.records(from), this.experiment.train, this.marks);
  }

  /** Resolves when no validation is under way. */
  async settled(): Promise<void> {
    await this.validating.catch(() => undefined);
  }

  /** One optimizer step on a batch given by hand. */
  async trainOn(batch: Batch): Promise<StepRecord> {
    await this.pause();
    if (this.phase === 'failed') throw new Error('The run has failed; reset it or go back to its last snapshot.');
    const step = ++this.step;
    const result = await this.run.submitBatch(step, batch).catch((error: unknown) => {
      // A batch that does not fit, or found no room, was no step.
      if (this.run.submitted < step) this.step = step - 1;
      throw error;
    });
    this.land(result);
    if (this.failure) throw this.failure;
    this.phase = 'paused';
    this.emitSeries(true);
    this.emitState();
    return this.records(step)[0]!;
  }

  private async runLoop(): Promise<void> {
    const pending = new Set<Promise<void>>();
    let ended = false;
    try {
      // Its copies are queued before the first step; nothing waits for them.
      this.snapshots.beginFirst();
      while (!this.stopping && !this.failure && this.step < this.target) {
        await this.run.ready(this.step + 1);
        while (this.held && !this.stopping) await this.held;
        if (this.stopping || this.failure) break;
        const step = ++this.step;
        const result = this.run.submitStep(step, this.pace.parts);
        const landing = result.then((r) => this.land(r)).finally(() => pending.delete(landing));
        pending.add(landing);
        landing.catch((error: unknown) => this.fail(error));
        if (this.validationDue() && step % this.run.experiment.train.evalEvery === 0) {
          // Queued before the next step, so it sees exactly the weights after this one; an earlier one must be out of the way.
          await this.validating;
          await this.run.evaluable();
          this.validating = this.validate(step);
          this.validating.catch((error: unknown) => this.fail(error));
          // The weights that were just validated, in case they are the best so far.
          if (this.keeper && this.snapshots.due(0)) void this.snapshots.begin();
        }
        if (!this.turn) this.watch.glance(step, (error) => this.fail(error));
        if (this.snapshots.due()) void this.snapshots.begin();
      }
      await Promise.allSettled([...pending]);
      await Promise.all([this.watch.settled(), this.snapshots.settled(), this.validating]);
      if (!this.failure && !this.turn && this.watch.shown !== this.step) await this.watchSpectra();
      if (this.validationDue() && !this.failure && this.step >= this.run.experiment.train.steps) {
        // Not twice, where the last step was due for one.
        if (this.history.evaluations().at(-1)?.step !== this.step) await this.validate(this.step);
        ended = true;
      }
      if (this.keeper && !this.failure) {
        const now = this.step >= this.run.experiment.train.steps || this.snapshots.due(PAUSE_SNAPSHOT_AGE);
        if (now) await this.snapshots.here();
        this.pauseTimer = setTimeout(() => void this.keepNow(), now ? 0 : PAUSE_SNAPSHOT_AGE);
      }
    } catch (error) {
      this.fail(error);
    }
    this.elapsed += performance.now() - this.startedAt;
    if (this.failure) {
      this.phase = 'failed';
      await this.explainFailure(this.failure);
    } else this.phase = this.landed >= this.run.experiment.train.steps ? 'finished' : 'paused';
    this.emitSeries(true);
    this.emitState();
    // The page has its last figures; the curve follows.
    if (ended && !this.failure) void this.cutting.curve();
  }

  private fail(error: unknown): void {
    this.failure ??= error instanceof DeviceLostError || error instanceof FaultError ? error : new FaultError(faultOf(error));
  }

  /** Something under the run broke, not its numbers: with the device gone, whatever was waiting on it fails in its own words. */
  get broken(): boolean {
    return this.failure !== undefined && !(this.failure instanceof FaultError && this.failure.fault.kind === 'non-finite');
  }

  private land(result: StepResult): void {
    // Steps already queued behind a bad one ran with frozen weights: they are not part of the run.
    if (this.failure) return;
    // What has overflowed may be NaN as well.
    const record = result.skipped ? { ...result.record, gradNorm: Infinity } : result.record;
    const halt = haltOf(record, result, this.landed > 0 ? this.history.record(this.landed).gradNorm : undefined);
    if (halt) {
      this.failure = new FaultError(halt);
      return;
    }
    this.history.push(record);
    const scale = lossScaleAt(this.experiment.train, this.marks, record.step);
    if (scale !== undefined && result.lossScale !== scale)
      this.mark({ step: record.step, field: LOSS_SCALE, from: scale, to: result.lossScale });
    this.pace.land(result.times);
    this.emitSeries(false);
  }

  private async explainFailure(failure: FaultError | DeviceLostError): Promise<void> {
    if (failure instanceof DeviceLostError) return;
    let { fault } = failure;
    if (fault.kind === 'non-finite') fault = await explainHalt(fault, this.run, this.snapshots.last?.step, this.emit);
    this.failure = new FaultError(fault);
    this.emit({ type: 'fault', fault });
  }

  private validationDue(): boolean {
    return this.run.experiment.train.evalEvery > 0 && this.run.canEvaluate;
  }

  private async validate(step: number): Promise<void> {
    const from = performance.now();
    const { loss, accuracy, count } = await this.run.evaluate(this.run.experiment.train.evalCount);
    if (this.failure) return;
    this.history.pushEvaluation(step, loss, accuracy);
    this.emit({ type: 'evaluation', runId: this.runId, step, loss, accuracy, count });
    if (this.phase === 'running' && !this.stopping) this.cutting.live(performance.now() - from);
  }

  /** Exact spectra of the weights as they are now; also sent as an event. */
  watchSpectra(): Promise<MatrixSpectrum[]> {
    return this.watch.look(this.step);
  }

  /** Stores the run as it is now, or as it was last good; resolves when that is done. */
  async keepNow(): Promise<void> {
    clearTimeout(this.pauseTimer);
    if (!this.keeper) return;
    if (!this.failure && this.step > 0) await this.snapshots.here();
    await this.keeper.flush();
  }

  /** A setting changed: remembered, and told. */
  mark(mark: Mark): void {
    this.marks.push(mark);
    this.emit({ type: 'mark', runId: this.runId, mark });
  }

  /** Back to a snapshot: weights, moments, Q3R state and history as they were after its step. */
  restore(snapshot: Snapshot, history?: History): void {
    this.run.restore(snapshot);
    if (history) this.history.load(history.packed(1).subarray(0, snapshot.step * RECORD_WIDTH), history.evaluations());
    this.history.truncate(snapshot.step);
    this.marks.splice(0, Infinity, ...this.marks.filter((mark) => mark.step <= snapshot.step));
    this.standAt(snapshot);
  }

  /** Goes on for a trainer whose device was lost: what it remembers beside the history and the weights. */
  inherit(before: Trainer): void {
    this.keeper = before.keeper;
    this.marks.push(...before.marks);
    this.elapsed = before.elapsedMs;
  }

  /** Takes over a run whose state the device already has: its history, marks and time. */
  continueFrom({ description, records, evaluations }: Checkpoint, snapshot: Snapshot): void {
    this.history.load(records, evaluations);
    this.elapsed = description.elapsedMs;
    for (const mark of description.marks) this.mark(mark);
    this.standAt(snapshot);
    const last = evaluations.at(-1);
    const count = this.run.experiment.train.evalCount;
    if (last) this.emit({ type: 'evaluation', runId: this.runId, ...last, count });
  }

  private standAt(snapshot: Snapshot): void {
    this.sent = 0;
    this.step = snapshot.step;
    this.snapshots.last = snapshot;
    this.failure = undefined;
    this.watch.shown = -1;
    this.phase = this.step === 0 ? 'idle' : this.step >= this.run.experiment.train.steps ? 'finished' : 'paused';
    this.emitSeries(true);
    this.emitState();
  }

  timing(): Timing | null {
    return this.pace.timing(this.run.experiment.train.batchSize);
  }

  /** Sends the decimated history, at most every 200 ms unless forced. */
  emitSeries(force: boolean): void {
    const now = performance.now();
    if (this.landed === 0 || (!force && now - this.seriesAt < SERIES_INTERVAL)) return;
    this.seriesAt = now;
    const latest = this.history.record(this.landed);
    const from = this.sent + 1;
    this.emit({
      type: 'series',
      runId: this.runId,
      series: this.history.series(this.smoothing),
      latest,
      from,
      rows: this.history.packed(from),
    });
    this.sent = this.landed;
    const timing = this.timing();
    if (timing) this.emit({ type: 'timing', runId: this.runId, step: this.landed, timing });
    this.emitState();
  }

  /** Milliseconds of training. */
  get elapsedMs(): number {
    return this.elapsed + (this.phase === 'running' ? performance.now() - this.startedAt : 0);
  }

  emitState(): void {
    this.emit({
      type: 'state',
      runId: this.runId,
      phase: this.phase,
      step: this.landed,
      totalSteps: this.run.experiment.train.steps,
      elapsedMs: this.elapsedMs,
      liveBytes: this.run.gpu.buffers.liveBytes - this.run.gpu.buffers.stagingBytes,
    });
  }

  /** Frees everything on the GPU. */
  async dispose(): Promise<void> {
    this.stopping = true;
    this.letGo();
    clearTimeout(this.pauseTimer);
    await this.loop?.catch(() => undefined);
    await this.snapshots.settled();
    await this.cutting.cancel();
    await this.run.dispose();
  }
}
