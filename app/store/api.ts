import type { DatasetName, DeepPartial, Experiment } from '../protocol/experiment';
import type {
  Batch,
  CommandMap,
  DatasetInfo,
  Matrix,
  MatrixSpectrum,
  Q3rOptions,
  Q3rResult,
  StepRecord,
  Svd,
  SvdOptions,
} from '../protocol/messages';
import { experimentFrom } from '../protocol/shareUrl';
import { checkCut, checkShares, type Cut, type CutBy, type CutChoice, type ModelFigures } from '../protocol/truncation';
import { configure as makeExperiment, engine, loadFiles, pause, play, prepare, reset, shareUrl, stepOnce } from './actions';
import { records } from './records';
import { getState, setState, useStore } from './store';

/**
 * `window.q3r`: the page for scripts. Every function waits until the device is open; a wrong setting throws a ConfigError
 * whose `field` names it. The page's own buttons call the same functions.
 */
export interface Q3rApi {
  /** A patch on the shown experiment, or a share link. Live fields change a running run; any other difference ends it. */
  configure(patch: DeepPartial<Experiment> | string): Promise<Experiment>;
  /** The same as dropping the files on the page. */
  loadData(files: Blob[], as?: DatasetName): Promise<DatasetInfo>;
  start(): Promise<void>;
  pause(): Promise<void>;
  /** Back to step 0 with the same initial weights. */
  reset(): Promise<void>;
  /** Exactly n steps, from a paused run. */
  step(n?: number): Promise<StepRecord[]>;
  /** Every step of the current run, as far as the page has heard: complete after `step`, `pause` and `trainOn`. */
  history(): StepRecord[];
  /** Over the first `train.evalCount` test images. */
  evaluate(): Promise<{ loss: number; accuracy: number; count: number }>;
  /** Exact: all singular values. */
  spectra(): Promise<MatrixSpectrum[]>;
  /** safetensors, timm names. */
  exportWeights(): Promise<Uint8Array>;
  /** Throws naming the tensor that does not fit; the optimizer starts anew. */
  importWeights(bytes: Uint8Array): Promise<void>;
  /** safetensors with logits, loss and grads.<name> of one batch; changes nothing. */
  gradients(batch: Batch): Promise<Uint8Array>;
  /** One optimizer step on the batch; the record holds the loss before it. */
  trainOn(batch: Batch): Promise<StepRecord>;
  /** Logits [B, numClasses] of normalised images [B, C, H, W]; with a fraction or an energy, of the truncated model. */
  predict(images: Float32Array, o?: { fraction?: number; energy?: number }): Promise<Float32Array>;
  /**
   * The model with its targeted matrices cut to these shares of their parameters (of their squared singular values with
   * `by: 'energy'`), evaluated as two thin products a matrix on the first `count` test images (1,000). `full` is the model as it is.
   */
  truncate(shares: number[], o?: { by?: CutBy; count?: number }): Promise<(Cut & { full: ModelFigures; matrices: readonly string[] })[]>;
  /** safetensors of the truncated model: `<layer>.A` [r, in] and `<layer>.B` [out, r] with W = B A, all else under timm names. */
  exportFactored(cut: CutChoice): Promise<Uint8Array>;
  readonly linalg: {
    svd(a: Matrix, o?: SvdOptions): Promise<Svd>;
    q3r(w: Matrix, o: Q3rOptions): Promise<Q3rResult>;
    matmul(a: Matrix, b: Matrix, o?: { transA?: boolean; transB?: boolean }): Promise<Float32Array>;
  };
  shareUrl(): string;
  /** Bytes and buffers on the GPU. */
  memory(): Promise<CommandMap['memory']['reply']>;
  /** Makes the engine fail, to see what the page does then. */
  provoke(fault: CommandMap['provoke']['args']['fault']): Promise<void>;
  readonly version: string;
}

/** Resolves when the device is open. @throws Error with the fault's text when it cannot be. */
function ready(): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      const { device, fault } = getState();
      if (device) resolve();
      else if (fault) reject(new Error(fault.message));
      return device !== null || fault !== null;
    };
    if (look()) return;
    const stop = useStore.subscribe(() => {
      if (look()) stop();
    });
  });
}

const named = (blob: Blob, i: number): File => (blob instanceof File ? blob : new File([blob], `file${i}`));

/** The experiment shown on the page is the worker's, so that commands on the run act on it. */
async function current(): Promise<void> {
  await ready();
  if (!getState().running) await configure({});
}

async function configure(input: DeepPartial<Experiment> | string): Promise<Experiment> {
  await ready();
  const experiment = experimentFrom(input, getState().experiment);
  await makeExperiment(experiment);
  setState({ screen: 'main' });
  return experiment;
}

export const api: Q3rApi = {
  configure,
  async loadData(files, as) {
    await ready();
    return loadFiles(files.map(named), as);
  },
  async start() {
    await ready();
    await play();
  },
  async pause() {
    await ready();
    await pause();
  },
  async reset() {
    await current();
    await reset();
  },
  async step(n = 1) {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`step(n) takes a whole number of at least 1, not ${n}.`);
    await ready();
    return stepOnce(n);
  },
  history: () => records.all(),
  async evaluate() {
    await ready();
    await prepare();
    return engine().send('evaluate', {});
  },
  async spectra() {
    await current();
    return engine().send('spectra', {});
  },
  async exportWeights() {
    await current();
    return engine().send('exportWeights', {});
  },
  async importWeights(bytes) {
    await current();
    await engine().send('importWeights', { bytes });
  },
  async gradients(batch) {
    await current();
    return engine().send('gradients', { batch });
  },
  async trainOn(batch) {
    await current();
    return engine().send('trainOn', { batch });
  },
  async predict(images, { fraction, energy } = {}) {
    await current();
    if (fraction === undefined && energy === undefined) return engine().send('predict', { images });
    checkCut({ fraction, energy });
    return engine().send('predict', { images, cut: energy === undefined ? { fraction: fraction! } : { energy } });
  },
  async truncate(shares, { by = 'fraction', count } = {}) {
    if (!Array.isArray(shares)) throw new RangeError('truncate takes a list of shares.');
    checkShares(shares, by);
    if (count !== undefined && !(Number.isInteger(count) && count > 0))
      throw new RangeError(`count must be a whole number of images from 1 on, not ${count}.`);
    await ready();
    await prepare();
    const { cuts, full, matrices } = await engine().send('truncate', { values: [...shares], by, ...(count !== undefined && { count }) });
    return cuts.map((cut) => ({ ...cut, full, matrices }));
  },
  async exportFactored(cut) {
    checkCut(cut);
    await current();
    return engine().send('exportFactored', { cut });
  },
  linalg: {
    async svd(matrix, options = {}) {
      await ready();
      return engine().send('svd', { matrix, options });
    },
    async q3r(matrix, options) {
      await ready();
      return engine().send('q3r', { matrix, options });
    },
    async matmul(a, b, { transA = false, transB = false } = {}) {
      await ready();
      return engine().send('matmul', { a, b, transA, transB });
    },
  },
  shareUrl,
  async memory() {
    await ready();
    return engine().send('memory', {});
  },
  async provoke(fault) {
    await ready();
    await engine().send('provoke', { fault });
  },
  version: __APP_VERSION__,
};

declare global {
  interface Window {
    q3r: Q3rApi;
  }
}

/** Puts the API on the window. */
export function exposeApi(): void {
  window.q3r = api;
}
