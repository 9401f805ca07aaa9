import type { AppState, Baseline } from './store';
import { withKept } from './slices/kept';
import { runSlice, signature } from './slices/run';
import { seeResults } from './slices/see';
import { truncationSlice, withTruncation } from './slices/truncation';
import type { Report } from './workerClient';

/** What the worker reported, as a change of the state. Pure, so that tests can replay a run. */
export function applyReport(state: AppState, report: Report): Partial<AppState> {
  if ('runId' in report) {
    if (report.runId < state.runId) return {};
    if (report.runId > state.runId) {
      const fresh = newRun(state, report.runId);
      return { ...fresh, ...applyReport({ ...state, ...fresh }, report) };
    }
  }
  switch (report.type) {
    case 'stages':
      return { stages: report.stages, stagesProgress: report.progress };
    case 'state': {
      const { phase, step, totalSteps, elapsedMs, liveBytes } = report;
      const patch: Partial<AppState> = { phase, step, totalSteps, elapsedMs, liveBytes };
      if (phase !== 'preparing') patch.stages = [];
      if (phase === 'running') {
        patch.starting = false;
        patch.recovering = false;
        if (state.fault?.kind === 'device-lost') {
          patch.fault = null;
          patch.notices = [
            ...state.notices,
            tell(state, `The GPU was lost and is back. Training resumed from the snapshot of step ${step}.`),
          ].slice(-4);
        }
      }
      if (phase === 'failed') patch.starting = false;
      if (phase === 'finished') return { ...patch, ...withBaselineOf({ ...state, ...patch }) };
      return patch;
    }
    case 'timing':
      return { timing: report.timing };
    case 'series':
      return { series: report.series, latest: report.latest };
    case 'evaluation':
      return { evaluation: { step: report.step, loss: report.loss, accuracy: report.accuracy, count: report.count } };
    case 'spectra': {
      const spectra = { step: report.step, matrices: report.matrices };
      const next: AppState = { ...state, spectra };
      const patch: Partial<AppState> = { spectra, baseline: baselineFor(next) };
      if (!report.matrices.some((m) => m.name === state.selected)) patch.selected = defaultSelection(report.matrices);
      // The last spectra of a dense run arrive after it has finished.
      return state.phase === 'finished' ? { ...patch, ...withBaselineOf(next) } : patch;
    }
    case 'truncation': {
      const patch: Partial<AppState> = withTruncation(state, report.report, report.done, report.total);
      // The curve of a dense run is measured when it has finished.
      return { ...patch, ...(report.done === report.total && withBaselineOf({ ...state, ...patch })) };
    }
    case 'mark':
      return { marks: [...state.marks, report.mark] };
    case 'experiment':
      return { running: report.experiment };
    case 'dataset':
      return { dataset: report.info, loaded: { ...state.loaded, [report.info.name]: report.info }, dataProgress: null };
    case 'dataProgress': {
      const { name, stage, bytes, totalBytes, bytesPerSecond, images, totalImages } = report;
      return { dataProgress: { name, stage, bytes, totalBytes, bytesPerSecond, images, totalImages } };
    }
    case 'checkpoint':
      return { kept: withKept(state.kept, report.info), keptHere: report.info.kind === 'latest' ? report.info : state.keptHere };
    case 'tensorProgress':
      return state.loadingTensors
        ? { loadingTensors: { ...state.loadingTensors, bytes: report.bytes, totalBytes: report.totalBytes } }
        : {};
    case 'roofline':
      return state.rooflineProgress ? { rooflineProgress: { stage: report.stage, share: report.share } } : {};
    case 'notice': {
      if (state.notices.some((n) => n.message === report.message)) return {};
      const notice = { id: nextId(state), level: report.level, message: report.message, lines: [] };
      return { notices: [...state.notices, notice].slice(-4) };
    }
    case 'fault': {
      const { fault } = report;
      // Neither stops a run: the data are used from memory, or the previous set stays.
      if (fault.kind === 'storage-quota' || fault.kind === 'data') {
        const notice = { id: nextId(state), level: 'warn' as const, message: fault.message, lines: [fault.detail] };
        return { notices: [...state.notices, notice].slice(-4), dataProgress: null };
      }
      // What fails on a device that has just gone is a consequence of its loss.
      if (state.recovering && fault.kind === 'internal') return {};
      const stopped: Partial<AppState> = {
        fault,
        starting: false,
        tab: 'watch',
        phase: state.phase === 'preparing' ? 'failed' : state.phase,
      };
      if (fault.kind !== 'device-lost') return { ...stopped, recovering: false };
      // The second report of the same loss says that the device stays away.
      if (state.recovering) return { ...stopped, recovering: false, phase: 'failed' };
      if (state.phase === 'running' || state.phase === 'failed' || state.starting) return { ...stopped, recovering: true };
      const notice = tell(state, 'The GPU was lost while it had nothing to do; it is being opened anew.');
      return { recovering: true, notices: [...state.notices, notice].slice(-4) };
    }
  }
}

/** Ids made here are negative, so that they never meet those of `notify`. */
const nextId = (state: AppState): number => Math.min(0, ...state.notices.map((n) => n.id)) - 1;
const tell = (state: AppState, message: string) => ({ id: nextId(state), level: 'info' as const, message, lines: [] });

/** The run slice for a run of which nothing is known yet; a dense run on screen is remembered. */
export function newRun(state: AppState, runId: number): Partial<AppState> {
  const kept = withBaselineOf(state);
  return {
    ...runSlice(),
    ...truncationSlice(),
    ...seeResults(),
    running: state.running,
    denseRuns: kept.denseRuns ?? state.denseRuns,
    baseline: null,
    keptHere: null,
    runId,
    fault: null,
    replay: null,
    wallView: 'run',
    zoom: null,
    scrub: null,
    scrubbing: false,
  };
}

/** Remembers the run on screen if it is dense. */
export function withBaselineOf(state: AppState): Partial<AppState> {
  const { running, spectra, replay } = state;
  // What a link holds is a part of a run only.
  if (replay?.from === 'link') return {};
  if (running?.method.name !== 'adamw' || !spectra || spectra.step === 0 || spectra.matrices.some((m) => m.regularized)) return {};
  const entry: Baseline = {
    label: `Dense AdamW, step ${spectra.step}${replay ? ', recorded' : ''}`,
    experiment: running,
    series: state.series,
    step: spectra.step,
    matrices: spectra.matrices,
    curves: state.curves,
  };
  return { denseRuns: { ...state.denseRuns, [signature(spectra.matrices)]: entry } };
}

/** The dense run that fits the spectra. */
export const baselineFor = (state: AppState): Baseline | null =>
  state.spectra ? (state.denseRuns[signature(state.spectra.matrices)] ?? null) : null;

/** The fc1 of the middle block, where there is one. */
export function defaultSelection(matrices: readonly { name: string; block: number; kind: string }[]): string {
  const fc1 = matrices.filter((m) => m.kind === 'fc1');
  return (fc1[Math.floor(fc1.length / 2)] ?? matrices[0])?.name ?? '';
}
