import { differences, type Experiment } from '../protocol/experiment';
import { RECORD_WIDTH, type RunEvaluation, type RunRecord } from '../protocol/run/record';
import { clock } from './clock';
import { frames } from './frames';
import { records } from './records';
import { getRun, keepRun, nameOf } from './runs';
import { packFrame } from './runs/pack';
import { getState, setState } from './store';
import type { Report } from './workerClient';

/** Milliseconds between two stored states of a run that trains, at least; and how many times the storing itself took. */
const EVERY = 15_000;
const SHARE = 40;
/** A run that stands is stored at most so often. */
const REST = 400;

interface Identity {
  readonly runId: number;
  readonly id: string;
  readonly name: string;
  readonly date: number;
  readonly parent: string | null;
}

/** What the next run is made from. A fork counts while it differs in one setting at most; a resumed run always. */
interface Origin {
  readonly id: string;
  readonly fork: Experiment | null;
}

/**
 * Makes records of the run on screen from the worker's reports, and has them kept: from the first step on, now and then while it trains,
 * whenever it stops, and when truncation curves arrive.
 */
export class Recorder {
  private runId = 0;
  private run: Identity | null = null;
  private evaluations: RunEvaluation[] = [];
  private checkpoint: string | null = null;
  private origin: Origin | null = null;

  private pending: RunRecord | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private storing = false;
  private storedAt = -Infinity;
  private cost = 0;

  /** `store` keeps a record; it may take its time. */
  constructor(private readonly store: (record: RunRecord, checkpoint: string | null) => Promise<void>) {}

  /** The next run is made from a kept one: with one change of its settings, or going on from its checkpoint. Null calls it off. */
  from(origin: Origin | null): void {
    this.origin = origin;
  }

  /** Call it with a report before anything takes it in: the last chance to see the run that it ends. */
  before(report: Report): void {
    if (!this.run || !('runId' in report)) return;
    const ends = report.runId > this.run.runId || (report.type === 'state' && report.runId === this.run.runId && report.step === 0);
    if (ends) this.save();
  }

  /** Call it with a report when all have taken it in. */
  after(report: Report): void {
    const state = getState();
    if ('replay' in state && state.replay) return;
    if (report.type === 'checkpoint') {
      if (report.info.kind === 'latest') this.checkpoint = report.info.run;
      return;
    }
    if (!('runId' in report) || report.runId < state.runId) return;
    if (report.runId !== this.runId || (report.type === 'state' && report.step === 0)) this.forget(report.runId);
    switch (report.type) {
      case 'state': {
        const { step, phase } = report;
        if (step > 0 && !this.run) this.begin(report.runId, report.elapsedMs);
        // A run that went back to a snapshot has not reached what came after.
        if (phase !== 'running') this.forgetAfter(step);
        if (phase === 'paused' || phase === 'finished' || phase === 'failed') this.save();
        break;
      }
      case 'series':
        if (this.evaluations.length === 0) this.takeSeries(report.series.evalStep, report.series.evalLoss, report.series.evalAccuracy);
        if (this.run && performance.now() - this.storedAt > Math.max(EVERY, SHARE * this.cost)) this.save();
        break;
      case 'evaluation': {
        const { step, loss, accuracy, count } = report;
        this.forgetAfter(step - 1);
        this.evaluations.push({ step, loss, accuracy, count });
        if (state.phase !== 'running') this.save();
        break;
      }
      case 'spectra': {
        const newest = frames.at(report.step);
        if (newest) packFrame(newest);
        if (state.phase !== 'running') this.save();
        break;
      }
      case 'truncation':
        // Three shares or more are a curve, fewer are the answer to a slider.
        if (report.total >= 3 && report.done === report.total) this.save();
        break;
      default:
    }
  }

  /** The run on screen as it is now; null before its first step. */
  record(): RunRecord | null {
    const state = getState();
    const { run } = this;
    const { running, step, device } = state;
    if (!run || !running || run.runId !== state.runId || step < 1) return null;
    const rows = records.packed();
    const data = state.loaded[running.dataset] ?? (state.dataset?.name === running.dataset ? state.dataset : null);
    return {
      id: run.id,
      name: state.runs.find(({ id }) => id === run.id)?.name ?? run.name,
      date: run.date,
      origin: {
        device: device?.name ?? 'unknown',
        software: device?.software ?? false,
        version: __APP_VERSION__,
        trainCount: data?.trainCount ?? 0,
      },
      experiment: running,
      parent: run.parent,
      phase: state.phase,
      step: Math.max(step, rows.length / RECORD_WIDTH),
      totalSteps: state.totalSteps,
      elapsedMs: state.elapsedMs,
      marks: state.marks,
      rows,
      clock: clock.packed(),
      evaluations: [...this.evaluations],
      frames: frames.all(),
      curves: state.curves,
    };
  }

  /** Stores what waits, at once. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { pending } = this;
    if (!pending) return;
    this.pending = null;
    this.storing = true;
    const from = performance.now();
    this.storedAt = from;
    this.store(pending, pending.id === this.run?.id ? this.checkpoint : null)
      .catch((error: unknown) => console.error(error))
      .finally(() => {
        this.cost = performance.now() - from;
        this.storing = false;
        if (this.pending) this.later();
      });
  }

  private save(): void {
    const record = this.record();
    if (!record) return;
    // Another run's last state must not be lost.
    if (this.pending && this.pending.id !== record.id) this.flush();
    this.pending = record;
    if (!this.storing) this.later();
  }

  private later(): void {
    this.timer ??= setTimeout(() => this.flush(), Math.max(0, this.storedAt + REST - performance.now()));
  }

  private begin(runId: number, elapsedMs: number): void {
    const { running } = getState();
    if (!running) return;
    const { origin } = this;
    this.origin = null;
    const made = origin && (!origin.fork || differences(origin.fork, running).length <= 1);
    const resumed = made && !origin.fork;
    this.run = {
      runId,
      id: crypto.randomUUID(),
      name: nameOf(running),
      date: Math.round(Date.now() - (resumed ? 0 : elapsedMs)),
      parent: made ? origin.id : null,
    };
    this.storedAt = -Infinity;
    setState({ runHere: this.run.id });
    if (resumed) void this.takeOver(origin.id, this.run);
  }

  /** What the run that this one goes on with had shown until then. */
  private async takeOver(parent: string, run: Identity): Promise<void> {
    const start = getState().step;
    const before = await getRun(parent).catch(() => null);
    if (!before || this.run !== run) return;
    const now = frames.all();
    const older = before.frames.filter(({ step }) => step <= start && step < (now[0]?.step ?? Infinity));
    frames.load(run.runId, [...older, ...now]);
    const times = clock.packed();
    const first = times[0] ?? Infinity;
    const pairs: number[] = [];
    for (let i = 0; i + 1 < before.clock.length && before.clock[i]! < Math.min(first, start + 1); i += 2)
      pairs.push(before.clock[i]!, before.clock[i + 1]!);
    clock.load(run.runId, Float64Array.from([...pairs, ...times]));
    const { curves } = getState();
    if (Object.keys(curves).length === 0 && Object.values(before.curves).every((curve) => curve.step === start))
      setState({ curves: before.curves });
    this.save();
  }

  /** Validations of a resumed run, as its charts have them. */
  private takeSeries(steps: Float64Array, losses: Float32Array, accuracies: Float32Array): void {
    const count = getState().running?.train.evalCount ?? 0;
    this.evaluations = Array.from(steps, (step, i) => ({ step, loss: losses[i]!, accuracy: accuracies[i]!, count }));
  }

  private forgetAfter(step: number): void {
    while (this.evaluations.length > 0 && this.evaluations.at(-1)!.step > step) this.evaluations.pop();
  }

  private forget(runId: number): void {
    this.runId = runId;
    this.run = null;
    this.evaluations = [];
    this.checkpoint = null;
    if (getState().runHere !== null) setState({ runHere: null });
  }
}

/** Records the run on screen. */
export const recorder = new Recorder((record, checkpoint) => keepRun(record, { checkpoint }));
