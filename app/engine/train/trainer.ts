import type { Experiment } from '../../protocol/experiment';
import type { Batch, Fault, Mark, MatrixSpectrum, RunPhase, StepRecord, Timing } from '../../protocol/messages';
import { DeviceLostError } from '../gpu/device';
import type { PhaseTimes } from '../gpu/timestamps';
import type { Keeper } from './autosave';
import type { Checkpoint } from './checkpoint';
import { Cutting } from './cutting';
import { FaultError, faultOf, type Emit } from './events';
import { LOSS_SCALE, lossScaleAt, withLossScale } from '../../protocol/lossScale';
import { RECORD_WIDTH } from '../../protocol/run/record';
import { History } from './history';
import type { Run, StepResult } from './run';
import type { Snapshot } from './snapshot';

/** Milliseconds between chart updates. */
const SERIES_INTERVAL = 200;
/** Share of the time that watching the spectra may cost. */
const SPECTRA_SHARE = 0.08;
const SPECTRA_INTERVAL = 250;
const SNAPSHOT_INTERVAL = 4000;
const SNAPSHOT_SHARE = 0.04;
/** A run that pauses is kept at once when its last snapshot is older than this, else after as long, in case it goes on. */
const PAUSE_SNAPSHOT_AGE = 1000;
/** A submit longer than this is cut: systems kill work that holds the device for seconds. */
const SUBMIT_TARGET = 90;

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
  private snapshot: Snapshot | undefined;
  private snapshotAt = 0;
  private snapshotCost = 0;
  private snapshotting: Promise<void> | undefined;
  private pauseTimer: ReturnType<typeof setTimeout> | undefined;
  /** Settings that changed while the run went on. */
  readonly marks: Mark[] = [];
  /** Keeps the run beyond this visit. */
  keeper: Keeper | undefined;
  private spectraAt = 0;
  private spectraCost = 0;
  private watching: Promise<void> | undefined;
  private spectraStep = -1;
  private validating: Promise<void> = Promise.resolve();
  private seriesAt = 0;
  private landedAt = 0;
  /** Steps whose records the page has. */
  private sent = 0;
  private readonly wall: number[] = [];
  private times: PhaseTimes | null = null;
  private timedSteps = 0;
  private parts = 1;
  private failure: FaultError | DeviceLostError | undefined;
  smoothing = 0.9;

  constructor(
    readonly run: Run,
    readonly runId: number,
    private readonly emit: Emit,
  ) {
    this.history = new History(runId);
    this.cutting = new Cutting(run, runId, emit, () => this.phase !== 'running');
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
    this.landedAt = this.startedAt;
    this.wall.length = 0;
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
    const others = [this.watching, this.snapshotting, this.validating, this.cutting.settled()];
    await Promise.allSettled([...others, this.run.gpu.idle()]);
    return () => {
      const lost = performance.now() - from;
      if (this.phase === 'running') this.startedAt += lost;
      this.landedAt = performance.now();
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
      if (!this.snapshot && !this.snapshotting) void this.beginSnapshot();
      while (!this.stopping && !this.failure && this.step < this.target) {
        await this.run.ready(this.step + 1);
        while (this.held && !this.stopping) await this.held;
        if (this.stopping || this.failure) break;
        const step = ++this.step;
        const result = this.run.submitStep(step, this.parts);
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
          if (this.keeper && this.canSnapshot(0)) void this.beginSnapshot();
        }
        if (
          !this.turn &&
          !this.watching &&
          performance.now() - this.spectraAt > Math.max(SPECTRA_INTERVAL, this.spectraCost / SPECTRA_SHARE)
        )
          this.watching = this.watchSpectra('coarse').then(
            () => (this.watching = undefined),
            (error: unknown) => this.fail(error),
          );
        if (this.canSnapshot(SNAPSHOT_INTERVAL)) void this.beginSnapshot();
      }
      await Promise.allSettled([...pending]);
      await Promise.all([this.watching, this.snapshotting, this.validating]);
      if (!this.failure && !this.turn && this.spectraStep !== this.step) await this.watchSpectra();
      if (this.validationDue() && !this.failure && this.step >= this.run.experiment.train.steps) {
        // Not twice, where the last step was due for one.
        if (this.history.evaluations().at(-1)?.step !== this.step) await this.validate(this.step);
        ended = true;
      }
      if (this.keeper && !this.failure) {
        const now = this.step >= this.run.experiment.train.steps || this.canSnapshot(PAUSE_SNAPSHOT_AGE);
        if (now) await this.snapshotHere();
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
    const { halted, skipped, lossScale, times } = result;
    // What has overflowed may be NaN as well.
    const record = skipped ? { ...result.record, gradNorm: Infinity } : result.record;
    if (halted || !Number.isFinite(record.loss) || (!skipped && !Number.isFinite(record.gradNorm))) {
      this.failure = new FaultError({
        kind: 'non-finite',
        message: stopMessage(record, lossScale),
        detail: `step ${record.step}, loss ${record.loss}, gradient norm ${record.gradNorm}`,
        step: record.step,
        gradNorm: this.landed > 0 ? this.history.record(this.landed).gradNorm : record.gradNorm,
      });
      return;
    }
    this.history.push(record);
    const scale = lossScaleAt(this.experiment.train, this.marks, record.step);
    if (scale !== undefined && lossScale !== scale) this.mark({ step: record.step, field: LOSS_SCALE, from: scale, to: lossScale });
    const now = performance.now();
    this.wall.push(now - this.landedAt);
    if (this.wall.length > 32) this.wall.shift();
    this.landedAt = now;
    if (times) {
      const keep = this.timedSteps === 0 ? 0 : 0.9;
      const previous = this.times ?? times;
      this.times = Object.fromEntries(
        Object.entries(times).map(([key, value]) => [key, keep * previous[key as keyof PhaseTimes] + (1 - keep) * value]),
      ) as unknown as PhaseTimes;
      this.timedSteps++;
      const total = Object.values(times).reduce((a, b) => a + b, 0);
      this.parts = Math.max(1, Math.ceil(total / SUBMIT_TARGET));
    } else if (this.wall.length >= 3) this.parts = Math.max(1, Math.ceil(median(this.wall) / SUBMIT_TARGET));
    this.emitSeries(false);
  }

  private async explainFailure(failure: FaultError | DeviceLostError): Promise<void> {
    if (failure instanceof DeviceLostError) return;
    let fault: Fault = failure.fault;
    if (fault.kind === 'non-finite') {
      const bad = await this.run.firstBadTensor(fault.step).catch((error: unknown) => {
        this.emit({ type: 'notice', level: 'warn', message: `The first bad tensor could not be looked for: ${String(error)}` });
        return undefined;
      });
      const lr = this.run.experiment.train.lr / 10;
      fault = {
        ...fault,
        tensor: bad?.name,
        badCount: bad?.count,
        snapshotStep: this.snapshot?.step,
        suggestedLr: Number(lr.toPrecision(2)),
      };
    }
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
  async watchSpectra(tolerance: 'fine' | 'coarse' = 'fine'): Promise<MatrixSpectrum[]> {
    const step = this.step;
    const from = performance.now();
    const matrices = await this.run.spectra(tolerance);
    this.spectraCost = performance.now() - from;
    this.spectraAt = performance.now();
    this.spectraStep = step;
    this.emit({ type: 'spectra', runId: this.runId, step, matrices });
    return matrices;
  }

  /** No snapshot is under way, the last is older than `age` milliseconds, and another would not cost more than its share. */
  private canSnapshot(age: number): boolean {
    return !this.snapshotting && performance.now() - this.snapshotAt > Math.max(age, this.snapshotCost / SNAPSHOT_SHARE);
  }

  /** Begins a snapshot of what has been submitted so far; the copies are queued before this returns. */
  private beginSnapshot(): Promise<void> {
    return (this.snapshotting = this.takeSnapshot()
      // Nothing is lost when a paused run cannot be copied: what broke is told by the next step.
      .catch((error: unknown) => (this.loop ? this.fail(error) : undefined))
      .finally(() => (this.snapshotting = undefined)));
  }

  private async takeSnapshot(): Promise<void> {
    const { step } = this;
    const { experiment } = this.run;
    const from = performance.now();
    const snapshot = await this.run.takeSnapshot(step);
    this.snapshotCost = performance.now() - from;
    this.snapshotAt = performance.now();
    // Kept only when the step it follows has landed well and every weight is finite: a step may leave infinite weights behind
    // that only the next loss shows.
    // That of the initial weights is good whatever the steps behind it did.
    if ((this.failure && step > 0) || this.landed < step || !snapshot.finite) return;
    this.snapshot = snapshot;
    if (!this.keeper || this.failure) return;
    // With the validation of the same step, if there is one.
    await this.validating.catch(() => undefined);
    if (!this.failure && this.landed >= step) this.keeper.offer(this, snapshot, experiment);
  }

  /** Makes the last snapshot one of the present step. */
  private async snapshotHere(): Promise<void> {
    while (this.snapshotting) await this.snapshotting;
    if (this.snapshot?.step === this.step) return;
    await this.beginSnapshot();
  }

  /** The state after everything submitted so far. @throws Error when it is not one to go on from */
  async snapshotNow(): Promise<Snapshot> {
    while (this.snapshotting) await this.snapshotting;
    const { step } = this;
    await this.beginSnapshot();
    const { snapshot } = this;
    if (this.failure || snapshot?.step !== step) throw new Error('The run has failed and has no good state to save at this step.');
    return snapshot;
  }

  /** Stores the run as it is now, or as it was last good; resolves when that is done. */
  async keepNow(): Promise<void> {
    clearTimeout(this.pauseTimer);
    if (!this.keeper) return;
    if (!this.failure && this.step > 0) await this.snapshotHere();
    await this.keeper.flush();
  }

  /** A setting changed: remembered, and told. */
  mark(mark: Mark): void {
    this.marks.push(mark);
    this.emit({ type: 'mark', runId: this.runId, mark });
  }

  /** The last good snapshot, for a rebuild on a new device. */
  get lastSnapshot(): Snapshot | undefined {
    return this.snapshot;
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
    this.snapshot = snapshot;
    this.failure = undefined;
    this.spectraStep = -1;
    this.phase = this.step === 0 ? 'idle' : this.step >= this.run.experiment.train.steps ? 'finished' : 'paused';
    this.emitSeries(true);
    this.emitState();
  }

  timing(): Timing | null {
    if (this.wall.length === 0) return null;
    const msPerStep = this.wall.reduce((a, b) => a + b, 0) / this.wall.length;
    const t = this.times;
    return {
      msPerStep,
      imagesPerSecond: (1000 * this.run.experiment.train.batchSize) / msPerStep,
      split: t ? { forward: t.forward, backward: t.backward, optimizer: t.optimizer, q3r: t.q3r } : null,
    };
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
    await this.snapshotting?.catch(() => undefined);
    await this.cutting.cancel();
    await this.run.dispose();
  }
}

/** Why a step halted the run; `lossScale` is 0 where there is none. */
const stopMessage = ({ step, loss }: StepRecord, lossScale: number): string =>
  lossScale > 0 && Number.isFinite(loss)
    ? `The gradient overflowed half precision at step ${step}, even with a loss scale of ${lossScale}, so the run stopped.`
    : `The loss became infinite at step ${step}, so the run stopped.`;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
