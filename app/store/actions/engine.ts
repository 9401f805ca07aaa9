import type { Fault } from '../../protocol/messages';
import { applyReport } from '../events';
import { records } from '../records';
import { setState } from '../store';
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
      if (report.type === 'state') records.begin(report.runId, report.step);
      if (report.type === 'series') records.append(report.runId, report.from, report.rows);
      setState((s) => applyReport(s, report));
    },
    (fault: Fault) => setState({ fault, phase: 'failed', starting: false, stages: [], dataProgress: null, device: null }),
  );
