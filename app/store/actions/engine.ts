import type { Fault } from '../../protocol/messages';
import { Background } from '../background';
import { applyReport } from '../events';
import { noteReport, onScreen } from '../memory';
import { recorder } from '../recorder';
import { RunNumbers } from '../runNumbers';
import { getState, setState, type AppState } from '../store';
import { createWorker, WorkerClient, type Report, type WorkerLike } from '../workerClient';

let client: WorkerClient | null = null;
let numbers = new RunNumbers();
/** The worker's run while a recording is on screen. */
let background: Background | null = null;

/** The one client of the page; made on first use. */
export const engine = (): WorkerClient => (client ??= make(createWorker));

/** Uses another worker from now on, for tests. */
export function useWorker(create: () => WorkerLike): void {
  client?.restart();
  numbers = new RunNumbers();
  background = null;
  client = make(create);
}

/** Puts the worker's run aside, and gives the number of the run that takes its place on screen. */
export function putAside(): number {
  background ??= new Background(getState());
  return numbers.next();
}

/** What `putAside` took off the screen, as it is now; nothing where nothing was, or where its worker is gone. */
export function takeBack(): Partial<AppState> {
  const back = background?.restore(getState()) ?? {};
  background = null;
  return back;
}

/** The report with the page's number for its run. */
function numbered(report: Report): Report {
  if (!('runId' in report)) return report;
  const runId = numbers.of(report.runId);
  if (runId === report.runId) return report;
  return report.type === 'series' ? { ...report, runId, series: { ...report.series, runId } } : { ...report, runId };
}

function take(report: Report): void {
  const state = getState();
  if (background && 'runId' in report) {
    if (report.runId < state.runId) {
      background.take(report);
      return;
    }
    // A newer run takes the screen.
    background = null;
  }
  recorder.before(report);
  noteReport(onScreen, report, state.runId);
  setState((s) => applyReport(s, report));
  recorder.after(report);
}

function crashed(fault: Fault): void {
  background?.fail();
  setState(({ replay, phase }) => ({
    fault,
    phase: replay ? phase : 'failed',
    starting: false,
    stages: [],
    dataProgress: null,
    device: null,
  }));
}

const make = (create: () => WorkerLike) =>
  new WorkerClient(
    () => {
      numbers.restart();
      return create();
    },
    (report) => take(numbered(report)),
    crashed,
  );
