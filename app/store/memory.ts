import { Clock, clock } from './clock';
import { Frames, frames } from './frames';
import { Records, records } from './records';
import type { Report } from './workerClient';

/** What is kept of a run outside the store: every step, its spectra, its times. */
export interface Memory {
  readonly records: Records;
  readonly frames: Frames;
  readonly clock: Clock;
}

/** Of the run on screen. */
export const onScreen: Memory = { records, frames, clock };

/** An empty one. */
export const newMemory = (): Memory => ({ records: new Records(), frames: new Frames(), clock: new Clock() });

/** Takes in what the worker reported; `runId` is the run that the memory is of, and what is told of an older one is dropped. */
export function noteReport({ records, frames, clock }: Memory, report: Report, runId: number): void {
  if ('runId' in report && report.runId < runId) return;
  if (report.type === 'state') {
    const { phase, step, elapsedMs } = report;
    records.begin(report.runId, step);
    frames.begin(report.runId, phase, step);
    clock.note(report.runId, phase, step, elapsedMs);
  }
  if (report.type === 'series') records.append(report.runId, report.from, report.rows);
  if (report.type === 'spectra') {
    frames.begin(report.runId, 'running', report.step);
    frames.push(report.step, report.matrices);
  }
}

/** Makes `to` hold of run `runId` what `from` holds. */
export function copyMemory(from: Memory, to: Memory, runId: number): void {
  to.records.begin(runId, 0);
  to.records.append(runId, 1, from.records.packed());
  to.frames.load(runId, from.frames.all());
  to.clock.load(runId, from.clock.packed());
}
