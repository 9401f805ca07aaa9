import type { CheckpointInfo, LoadedTensors, PretrainedOptions } from '../protocol/checkpoint';
import type { WrittenCommand } from '../protocol/commandLine';
import { withDataset, type DatasetName, type DeepPartial, type Experiment } from '../protocol/experiment';
import type {
  Batch,
  CommandMap,
  DatasetInfo,
  HoyerResult,
  LoraOptions,
  LoraResult,
  LoritaOptions,
  LoritaResult,
  Matrix,
  MatrixSpectrum,
  Q3rOptions,
  Q3rResult,
  StepRecord,
  Svd,
  SvdOptions,
} from '../protocol/messages';
import { confusionMatrix, type AttentionShape, type Look } from '../protocol/inspection';
import { isCommandLine } from '../protocol/commandLine';
import { NO_LOCKS } from '../protocol/locks';
import { withLossScale } from '../protocol/lossScale';
import type { RooflineReport } from '../protocol/roofline';
import { experimentFrom, parseShareUrl } from '../protocol/shareUrl';
import { checkCut, checkShares, type Cut, type CutBy, type CutChoice, type ModelFigures } from '../protocol/truncation';
import {
  checkpoints,
  commandLine,
  configure as makeExperiment,
  deleteCheckpoint,
  engine,
  exportRun,
  fetchTensors,
  importRun,
  loadFiles,
  loadTensors,
  measureRoofline,
  pause,
  play,
  prepare,
  replayText,
  replayUrl,
  requireLive,
  reset,
  resume,
  shareUrl,
  stepOnce,
  takeOver,
} from './actions';
import { tellPatch } from './actions/patch';
import { records } from './records';
import { allRuns } from './runs';
import { getState, setState, useStore, type RunSummary } from './store';

/**
 * `window.q3r`: the page for scripts. Every function waits until the device is open; a wrong setting throws a ConfigError
 * whose `field` names it. The page's own buttons call the same functions.
 */
export interface Q3rApi {
  /** A patch on the shown experiment, a share link, or a command of the reference, `python main.py …`. Live fields change a running run; any other difference ends it. The locks of a link hold as if it had been opened. */
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
  /** The run as one safetensors file: weights under timm's names, and all that it takes to go on bit for bit. */
  saveCheckpoint(): Promise<Uint8Array>;
  /** Goes on with the run in the file. Throws naming what does not fit; the current run then stays. */
  loadCheckpoint(bytes: Uint8Array): Promise<LoadedTensors>;
  /** The runs that this browser keeps by itself, newest first. */
  checkpoints(): Promise<CheckpointInfo[]>;
  /** Goes on with one of them. */
  resume(key: string): Promise<LoadedTensors>;
  deleteCheckpoint(key: string): Promise<void>;
  /**
   * A run at step 0 from weights in timm's layout, as bytes or by address: the model follows the file, position embeddings and
   * head follow the data set.
   */
  loadPretrained(source: Uint8Array | string, o?: PretrainedOptions): Promise<LoadedTensors>;
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
  /**
   * How the first `count` test images (1,000) are classified, by the evaluated weights: `matrix[label][predicted]` counts. With a
   * fraction, by the model truncated to it.
   */
  confusion(o?: {
    count?: number;
    fraction?: number;
  }): Promise<{ step: number; count: number; accuracy: number; classes: readonly string[]; matrix: number[][] }>;
  /**
   * What up to 16 normalised images [B, C, H, W] are paid attention to: [layers, B, heads, T], class token first, then the patches row
   * by row; of the class token, or the mean over the patch tokens' where the head reads their mean. `rollout` is
   * [layers, B, T]: the same through all layers up to each. With a fraction, of the truncated model.
   */
  attention(images: Float32Array, o?: { fraction?: number }): Promise<Look & AttentionShape & { step: number }>;
  readonly linalg: {
    svd(a: Matrix, o?: SvdOptions): Promise<Svd>;
    q3r(w: Matrix, o: Q3rOptions): Promise<Q3rResult>;
    matmul(a: Matrix, b: Matrix, o?: { transA?: boolean; transB?: boolean }): Promise<Float32Array>;
    /** The Hoyer measure, λ = 1: value and gradient. */
    hoyer(w: Matrix, o?: { square?: boolean }): Promise<HoyerResult>;
    /** A linear layer whose weight is a product of factors: merged weight, output and gradients. */
    lorita(o: LoritaOptions): Promise<LoritaResult>;
    /** y = (alpha / r) x A B, and its gradients. */
    lora(o: LoraOptions): Promise<LoraResult>;
  };
  /** Shows a recorded run, from the text of a run file or from its address; needs no device. Throws naming what is wrong with it. */
  replay(source: string): Promise<void>;
  shareUrl(): string;
  /** The runs in the table, newest first. */
  runs(): Promise<readonly RunSummary[]>;
  /** The text of a run file: of the run on screen as it is now, or of a kept one by its id. With at most so many spectra, where given. */
  exportRun(id?: string, frames?: number): Promise<string>;
  /** Keeps the run of a run file's text. Throws naming what is wrong with it. */
  importRun(text: string): Promise<RunSummary>;
  /** The reference's command for the shown experiment, and what it does not say. */
  commandLine(): WrittenCommand;
  /**
   * Peak f32 arithmetic and bandwidth of this device, and time, operations and bytes of each kernel of a training step, measured on a
   * model of its own, over so many seconds of steps (2.5). A run that goes on waits meanwhile, and is otherwise left alone.
   */
  roofline(o?: { seconds?: number }): Promise<RooflineReport>;
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
  requireLive();
  if (!getState().running) await configure({});
}

/** Of the data set of the run on screen. */
function classNames(): readonly string[] {
  const { running, loaded } = getState();
  return (running && loaded[running.dataset]?.classes) ?? [];
}

function checkImageCount(count: number | undefined): void {
  if (count !== undefined && !(Number.isInteger(count) && count > 0))
    throw new RangeError(`count must be a whole number of images from 1 on, not ${count}.`);
}

/** A patch that names a data set and no shapes is applied to a model that fits its images. */
function onDataset(input: DeepPartial<Experiment> | string, base: Experiment): Experiment {
  if (typeof input !== 'object' || !input?.dataset || input.model?.patchSize !== undefined || input.model?.imageSize !== undefined)
    return base;
  const next = withDataset(base, input.dataset);
  tellPatch(base.model.patchSize, next);
  return next;
}

async function configure(input: DeepPartial<Experiment> | string): Promise<Experiment> {
  await ready();
  const base = getState().experiment;
  const experiment = experimentFrom(input, onDataset(input, base));
  await makeExperiment(experiment, typeof input === 'string' && !isCommandLine(input) ? parseShareUrl(input).locks : NO_LOCKS);
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
  history: () => {
    const { running, experiment, marks } = getState();
    return withLossScale(records.all(), (running ?? experiment).train, marks);
  },
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
  async saveCheckpoint() {
    await current();
    return engine().send('saveCheckpoint', {});
  },
  async loadCheckpoint(bytes) {
    await ready();
    return takeOver('the checkpoint', false, () => loadTensors(bytes.slice(), 'checkpoint'));
  },
  async checkpoints() {
    await ready();
    return checkpoints();
  },
  async resume(key) {
    await ready();
    return resume(key);
  },
  async deleteCheckpoint(key) {
    await ready();
    await deleteCheckpoint(key);
  },
  async loadPretrained(source, options = {}) {
    await ready();
    if (typeof source === 'string') return fetchTensors(source, options);
    return takeOver('the file', false, () => loadTensors(source.slice(), 'pretrained', options));
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
    checkImageCount(count);
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
  async confusion({ count, fraction } = {}) {
    checkImageCount(count);
    if (fraction !== undefined) checkCut({ fraction });
    await ready();
    await prepare();
    const survey = await engine().send('survey', {
      ...(count !== undefined && { count }),
      ...(fraction !== undefined && { cut: { fraction } }),
    });
    const { step, classes } = survey;
    const shown = survey.cut ?? survey.full;
    const cells = confusionMatrix(survey, shown);
    const names = classNames();
    return {
      step,
      count: survey.count,
      accuracy: shown.accuracy,
      classes: Array.from({ length: classes }, (_, i) => names[i] ?? String(i)),
      matrix: Array.from({ length: classes }, (_, i) => [...cells.subarray(i * classes, (i + 1) * classes)]),
    };
  },
  async attention(images, { fraction } = {}) {
    if (!(images instanceof Float32Array)) throw new RangeError('attention takes normalised images as a Float32Array.');
    if (fraction !== undefined) checkCut({ fraction });
    await ready();
    await prepare();
    const { step, shape, full, cut } = await engine().send('inspect', {
      source: { images },
      ...(fraction !== undefined && { cut: { fraction } }),
    });
    const { logits, attention, rollout } = cut ?? full;
    return { step, ...shape, logits, attention, rollout };
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
    async hoyer(matrix, { square = false } = {}) {
      await ready();
      return engine().send('hoyer', { matrix, square });
    },
    async lorita(options) {
      await ready();
      return engine().send('lorita', { options });
    },
    async lora(options) {
      await ready();
      return engine().send('lora', { options });
    },
  },
  async exportRun(id, frames = Infinity) {
    const text = await exportRun(id);
    if (frames === Infinity) return text;
    const { decodeRun, encodeRun } = await import('../protocol/run/file');
    const run = decodeRun(text);
    const every = Math.max(1, Math.ceil(run.frames.length / frames));
    // The newest is always among them.
    return encodeRun({ ...run, frames: run.frames.filter((_, i) => (run.frames.length - 1 - i) % every === 0) });
  },
  async replay(source) {
    if (/^\s*[{[]/.test(source)) await replayText(source);
    else await replayUrl(source);
  },
  shareUrl: () => shareUrl(),
  runs: allRuns,
  importRun,
  commandLine,
  async roofline({ seconds } = {}) {
    if (seconds !== undefined && !(seconds >= 0 && seconds <= 600))
      throw new RangeError(`seconds is ${String(seconds)}; 0 to 600 can be spent on timing.`);
    await ready();
    return measureRoofline(seconds);
  },
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
