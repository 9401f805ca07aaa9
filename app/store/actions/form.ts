import {
  ConfigError,
  differences,
  isLive,
  patchExperiment,
  valueAt,
  withDataset,
  type DatasetName,
  type DeepPartial,
  type Experiment,
} from '../../protocol/experiment';
import { modelName, presetByKey, presetExperiment } from '../../protocol/presets';
import { guard } from './locks';
import type { PlanReport } from '../../protocol/messages';
import { defaultSelection } from '../events';
import { getState, setState } from '../store';
import { engine } from './engine';
import { leaveReplay } from './leaveReplay';
import { tellPatch } from './patch';
import { notify } from './view';

/** Slider movements come at 60 Hz; a run is told at most this often, so that a drag leaves one mark and not fifty. */
const LIVE_DELAY_MS = 150;
const PLAN_DELAY_MS = 120;

const bases = new Map<string, Experiment>();
/**
 * The experiment that changes are counted against: the preset on the chosen data set, or that of the link where the page is locked.
 * The same object each time; not to be changed.
 */
export function baseExperiment(preset: string, { dataset }: Experiment): Experiment {
  const { lockBase } = getState();
  if (lockBase) return lockBase;
  const key = `${preset} ${dataset}`;
  const base = bases.get(key) ?? presetExperiment(preset, dataset);
  bases.set(key, base);
  return base;
}

/** A patch that sets one field by its path. */
export function patchOf(path: string, value: unknown): DeepPartial<Experiment> {
  if (path === 'dataset') return { dataset: value as Experiment['dataset'] };
  const [section, key] = path.split('.') as [string, string];
  return { [section]: { [key]: value } };
}

/** True while a change that is not live would throw a run away. */
export const runUnderWay = (): boolean => {
  const { phase, running, step, starting } = getState();
  return running !== null && (starting || phase === 'running' || phase === 'preparing' || (phase === 'paused' && step > 0));
};

/**
 * Sets a field by its path. Live fields reach a run at once; any other first asks when a run is under way.
 * @throws ConfigError where the value does not fit; nothing is changed then.
 */
export function setField(path: string, value: unknown): void {
  const { experiment, preset } = getState();
  const next = path === 'dataset' ? withDataset(experiment, value as DatasetName) : patchExperiment(experiment, patchOf(path, value));
  adopt(next, preset, path);
  if (path === 'dataset') tellPatch(experiment.model.patchSize, next);
}

/** Back to the preset's value. */
export function resetField(path: string): void {
  const { experiment, preset } = getState();
  const base = baseExperiment(preset, experiment);
  setField(path, path === 'dataset' ? base.dataset : valueAt(base, path));
}

/** Back to the preset, or to the link that locked the page; a notice can take it back. */
export function resetAll(): void {
  const { experiment, preset } = getState();
  adopt(structuredClone(baseExperiment(preset, experiment)), preset, 'every setting');
  offerUndo(experiment, preset, 'Every setting is the preset’s again.');
}

/** Tells of a change of the whole form that was made without a question, with a way back. */
function offerUndo(before: Experiment, preset: string, message: string): void {
  // Where a question is asked first, nothing has changed yet.
  if (getState().ask || differences(before, getState().experiment).length === 0) return;
  notify('info', message, [], { label: 'Undo', run: () => adopt(before, preset, 'every setting') });
}

/** Takes over model and recipe of a preset; the data set stays. */
export function choosePreset(key: string): void {
  const { experiment, preset } = getState();
  const next = presetExperiment(key, experiment.dataset);
  const changed = differences(baseExperiment(preset, experiment), experiment).length > 0;
  adopt(next, key, modelName(next));
  if (changed) offerUndo(experiment, preset, `All settings are those of ${presetByKey(key).label} now.`);
  tellPatch(presetByKey(key).patch.model?.patchSize ?? next.model.patchSize, next);
}

/** The same experiment with or without rank regularization. */
export function setTechnique(name: Experiment['method']['name']): void {
  setField('method.name', name);
}

/**
 * Shows an experiment, asking first where that would end a run. `what` names the change in the question.
 * @throws LockError where the link of the page locks a setting that it changes; nothing is changed then
 */
export function adopt(next: Experiment, preset: string, what: string): void {
  guard(next);
  leaveReplay();
  const { running, experiment, runFork } = getState();
  // Before a fork starts, its settings are no run's.
  if (runFork) {
    show(next, preset);
    return;
  }
  const against = running ?? experiment;
  if (runUnderWay() && differences(against, next).some((path) => !isLive(path))) {
    setState({ ask: { next, preset, what } });
    return;
  }
  show(next, preset);
  if (runUnderWay()) pushLive();
}

/** Puts an experiment into the form, without asking and without telling a run. @throws LockError */
export function show(next: Experiment, preset: string = getState().preset): void {
  guard(next);
  setState({ experiment: next, preset, ask: null });
  requestPlan();
}

export const cancelAsk = (): void => setState({ ask: null });

let liveTimer: ReturnType<typeof setTimeout> | undefined;
function pushLive(): void {
  clearTimeout(liveTimer);
  liveTimer = setTimeout(() => void flushLive(), LIVE_DELAY_MS);
}
/** Sends live changes that still wait. */
export async function flushLive(): Promise<void> {
  clearTimeout(liveTimer);
  liveTimer = undefined;
  const { running, experiment } = getState();
  if (!running) return;
  const changed = differences(running, experiment);
  if (changed.length === 0 || !changed.every(isLive)) return;
  try {
    setState({ plan: await engine().send('configure', { experiment }), running: experiment });
  } catch (error) {
    if (error instanceof Error) setState({ planError: { field: fieldOf(error), message: error.message } });
  }
}

let planTimer: ReturnType<typeof setTimeout> | undefined;
let planNumber = 0;
/** Asks for the plan of the shown experiment, once the visitor's hand rests. */
export function requestPlan(): void {
  clearTimeout(planTimer);
  planTimer = setTimeout(() => {
    planNow().catch(() => undefined);
  }, PLAN_DELAY_MS);
}

/** The plan of the shown experiment. @throws WorkerError where the worker cannot plan it; the page shows that, too. */
export async function planNow(): Promise<PlanReport | null> {
  clearTimeout(planTimer);
  const { device, experiment } = getState();
  if (!device) return null;
  const mine = ++planNumber;
  try {
    const plan = await engine().send('plan', { experiment });
    if (mine === planNumber) {
      const keep = plan.matrices.some((m) => m.name === getState().selected);
      setState({ plan, planError: null, ...(keep ? {} : { selected: defaultSelection(plan.matrices) }) });
    }
    return plan;
  } catch (error) {
    if (mine === planNumber && error instanceof Error) setState({ planError: { field: fieldOf(error), message: error.message } });
    throw error;
  }
}

const fieldOf = (error: Error): string => ('field' in error && typeof error.field === 'string' ? error.field : 'experiment');

/** The message of a value that does not fit, for its control; undefined where it was taken. */
export function trySetField(path: string, value: unknown): string | undefined {
  try {
    setField(path, value);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
