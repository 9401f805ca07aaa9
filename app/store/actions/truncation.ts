import { CURVE_ENERGIES, CURVE_FRACTIONS, type CutBy, type CutChoice } from '../../protocol/truncation';
import { saveFile } from '../files';
import { getState, setState, type AppState } from '../store';
import { engine } from './engine';
import { requireLive } from './leaveReplay';

/** The curve of the run as it is now. @throws WorkerError */
export async function measureCurve(by: CutBy = getState().cutBy): Promise<void> {
  requireLive();
  const { runId, measuring } = getState();
  if (measuring) return;
  const total = (by === 'energy' ? CURVE_ENERGIES : CURVE_FRACTIONS).length;
  setState({ measuring: { by, done: 0, total } });
  try {
    await engine().send('truncate', { values: [...(by === 'energy' ? CURVE_ENERGIES : CURVE_FRACTIONS)], by });
  } finally {
    setState((s) => (s.runId === runId ? { measuring: null } : {}));
  }
}

/** What the slider stands at, as the engine is asked for it. */
export const choiceOf = ({ cutBy, cutAt }: AppState): CutChoice =>
  cutBy === 'energy' ? { energy: cutAt.energy } : { fraction: cutAt.fraction };

let inFlight = false;
/** The run as it is has figures for what the slider stands at. */
const answered = ({ cut, cutBy, cutAt, step, phase }: AppState): boolean =>
  cut !== null &&
  cut.by === cutBy &&
  (cutBy === 'energy' ? cut.energy : cut.fraction) === cutAt[cutBy] &&
  (phase === 'running' || cut.step === step);

/**
 * Evaluates at the slider: one evaluation at a time, and after it another only if the slider has moved on by then.
 * Does nothing while there is no run to evaluate, which a recording is not. @throws WorkerError
 */
export async function evaluateCut(): Promise<void> {
  if (inFlight || getState().replay) return;
  inFlight = true;
  try {
    for (;;) {
      const state = getState();
      const { runId, phase, cutBy, cutAt } = state;
      if (phase === 'idle' || phase === 'preparing' || phase === 'failed' || answered(state)) return;
      setState({ cutBusy: true });
      const { cuts, full } = await engine().send('truncate', { values: [cutAt[cutBy]], by: cutBy, fresh: false });
      const [cut] = cuts;
      if (cut) setState((s) => (s.runId === runId ? { cut: { ...cut, by: cutBy, full } } : {}));
      // A run that has gone on in the meantime is asked again when the slider moves.
      const now = getState();
      if (now.cutBy === cutBy && now.cutAt[cutBy] === cutAt[cutBy]) return;
    }
  } finally {
    inFlight = false;
    setState({ cutBusy: false });
  }
}

/** Moves the slider. */
export function setCut(value: number): void {
  setState((s) => ({ cutAt: { ...s.cutAt, [s.cutBy]: Math.min(1, Math.max(0, value)) } }));
}
/** By share of the parameters, or of the squared singular values. */
export const setCutBy = (cutBy: CutBy): void => setState({ cutBy });
export const setCutShows = (cutShows: 'accuracy' | 'loss'): void => setState({ cutShows });

/** The truncated model at the slider, as a safetensors file in the downloads. @throws WorkerError */
export async function saveFactored(): Promise<void> {
  requireLive();
  const state = getState();
  const bytes = await engine().send('exportFactored', { cut: choiceOf(state) });
  const { model } = state.running ?? state.experiment;
  const kept = Math.round(100 * state.cutAt[state.cutBy]);
  saveFile(bytes, `vit-${model.depth}x${model.embedDim}-p${model.patchSize}-step${state.step}-${state.cutBy}${kept}.safetensors`);
}
