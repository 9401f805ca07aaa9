import type { Fault } from '../../protocol/messages';
import { clock } from '../clock';
import { applyReport } from '../events';
import { frames } from '../frames';
import { recorder } from '../recorder';
import { records } from '../records';
import { getState, setState } from '../store';
import { createWorker, WorkerClient, type WorkerLike } from '../workerClient';

let client: WorkerClient | null = null;

/** The one client of the page; made on first use. */
export const engine = (): WorkerClient => (client ??= make(createWorker));

/** Uses another worker from now on, for tests. */
export function useWorker(create: () => WorkerLike): void {
  client?.restart();
  client = make(create);
}

const make = (create: () => WorkerLike) =>
  new WorkerClient(
    create,
    (report) => {
      recorder.before(report);
      if (report.type === 'state') {
        const { runId, phase, step, elapsedMs } = report;
        records.begin(runId, step);
        frames.begin(runId, phase, step);
        clock.note(runId, phase, step, elapsedMs);
      }
      if (report.type === 'series') records.append(report.runId, report.from, report.rows);
      if (report.type === 'spectra') {
        frames.begin(report.runId, 'running', report.step);
        if (report.runId >= getState().runId) frames.push(report.step, report.matrices);
      }
      setState((s) => applyReport(s, report));
      recorder.after(report);
    },
    (fault: Fault) => setState({ fault, phase: 'failed', starting: false, stages: [], dataProgress: null, device: null }),
  );
