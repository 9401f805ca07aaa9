import { canFeed } from '../../../kernels/gather/augment';
import { ConfigError, type DatasetName, type Experiment } from '../../protocol/experiment';
import type { DatasetInfo } from '../../protocol/messages';
import { wordSum } from '../data/formats/checksums';
import {
  DATASET_CONFIGS,
  firstShapes,
  isPublished,
  loadFolder,
  loadShapes,
  noFolder,
  readers,
  recallFolder,
  type DatasetConfig,
} from '../data/index';
import { DataError, type LoadedDataset, type LoadOptions, type NamedBlob, type Split } from '../data/types';
import type { Gpu } from '../gpu/device';
import type { VitConfig } from '../model/parameters';
import { GpuDataset } from '../ops/gather';
import type { DataMark } from './checkpoint';
import type { Emit } from './events';
import type { RunData } from './run';

/** What a network takes from its data set. */
export type DataShape = Pick<DatasetConfig, 'imageSize' | 'channels' | 'classes'>;

/**
 * The network's input and output shapes: as the experiment says, else as its data set has them. `shape` is that of the set as loaded, for
 * sets that are not the same on every device; else the published one counts.
 */
export function resolveModel({ dataset, model }: Experiment, shape: DataShape = DATASET_CONFIGS[dataset]): VitConfig {
  const { imageSize, channels, classes } = shape;
  return {
    imageSize: model.imageSize ?? imageSize,
    inChannels: model.inChannels ?? channels,
    numClasses: model.numClasses ?? classes.length,
    patchSize: model.patchSize,
    embedDim: model.embedDim,
    depth: model.depth,
    numHeads: model.numHeads,
    mlpRatio: model.mlpRatio,
    pool: model.pool,
  };
}

/** Images in a set, and their shape: as loaded, else as published. */
export interface Counts {
  readonly train: number;
  readonly test: number;
  readonly shape?: DataShape;
}

/** The data sets of this visit: decoded ones in worker memory, the one in use on the GPU. */
export class Datasets {
  private readonly loaded = new Map<DatasetName, LoadedDataset>();
  private readonly marks = new WeakMap<LoadedDataset, DataMark>();
  private resident: { name: DatasetName; set: LoadedDataset; gpu: Gpu; data: RunData } | undefined;
  /** Loads under way: one of each kind, so that drawing shapes ahead does not end a load that the visitor asked for. */
  private readonly loading = new Map<'drawn' | 'read', AbortController>();
  private drawing: Promise<DatasetInfo> | undefined;
  /** The visitor's own images, where the browser keeps some that are not loaded yet. */
  private kept: DatasetConfig | undefined;

  constructor(
    private readonly emit: Emit,
    private readonly baseUrl: () => string,
  ) {}

  /** Finds out what the browser keeps of the visitor's own images; once, before anything is planned. */
  async recall(): Promise<void> {
    this.kept = (await recallFolder()) ?? undefined;
  }

  /** The set's description: as loaded, else as kept, else as published. @throws DataError for the visitor's images where there are none */
  private config(name: DatasetName): DatasetConfig {
    const config = this.loaded.get(name)?.config ?? (name === 'folder' ? this.kept : DATASET_CONFIGS[name]);
    if (!config) throw noFolder();
    return config;
  }

  /** @throws DataError for the visitor's images where there are none */
  counts(name: DatasetName): Counts {
    const set = this.loaded.get(name);
    const shape = this.config(name);
    return set ? { train: set.train.count, test: set.test.count, shape } : { train: shape.trainCount, test: shape.testCount, shape };
  }

  /** `resolveModel` with the set as it is loaded. @throws DataError for the visitor's images where there are none */
  resolve(experiment: Experiment): VitConfig {
    return resolveModel(experiment, this.config(experiment.dataset));
  }

  /** True when a model of these shapes is what the experiment would get now. */
  fits(experiment: Experiment, config: VitConfig): boolean {
    return JSON.stringify(this.resolve(experiment)) === JSON.stringify(config);
  }

  /** Whether shapes given by hand can take the set's images. @throws ConfigError */
  check({ dataset, model }: Experiment): void {
    const { label, channels, classes } = this.config(dataset);
    if (model.numClasses !== undefined && model.numClasses < classes.length)
      throw new ConfigError(
        'model.numClasses',
        `${label} has ${classes.length} classes; a model of ${model.numClasses} cannot learn them.`,
      );
    if (model.inChannels !== undefined && !canFeed(channels, model.inChannels))
      throw new ConfigError('model.inChannels', `Images of ${label} have ${channels} channels, not ${model.inChannels}.`);
  }

  /** Counts and checksum of a loaded set, to know it again; undefined while it is not loaded. */
  mark(name: DatasetName): DataMark | undefined {
    const set = this.loaded.get(name);
    if (!set) return undefined;
    let mark = this.marks.get(set);
    if (!mark) {
      const { train, test } = set;
      const bytesOf = ({ buffer, byteOffset, byteLength }: Split['labels']) => new Uint8Array(buffer, byteOffset, byteLength);
      const checksum = wordSum(bytesOf(test.labels), wordSum(train.images, wordSum(bytesOf(train.labels))));
      mark = { name, train: train.count, test: test.count, checksum };
      this.marks.set(set, mark);
    }
    return mark;
  }

  /** Loads a set from the nearest source, unless it is already here. @throws DataError; the sets loaded before stay. */
  load(name: DatasetName, refresh = false): Promise<DatasetInfo> {
    const there = this.loaded.get(name);
    if (there && !(refresh && isPublished(name))) {
      const info = infoOf(name, there);
      this.emit({ type: 'dataset', info });
      return Promise.resolve(info);
    }
    if (name === 'shapes') return this.draw();
    return this.take(name, async (o) =>
      isPublished(name) ? (await readers()).loadPublished(name, { ...o, baseUrl: this.baseUrl(), refresh }) : loadFolder(o),
    );
  }

  /** Draws the shapes once, however many ask for them. */
  private draw(): Promise<DatasetInfo> {
    this.drawing ??= this.take('shapes', loadShapes).finally(() => {
      this.drawing = undefined;
    });
    return this.drawing;
  }

  /**
   * Reads a set from dropped or chosen files. Which one it is, the files say themselves unless `as` does; `chosen` is the set on the page.
   * @throws DataError naming the file, what was expected and what was found
   */
  async loadFiles(files: NamedBlob[], as: DatasetName | undefined, chosen: DatasetName): Promise<DatasetInfo> {
    if (as === 'shapes')
      throw new DataError(files[0]?.name ?? 'files', 'files of a data set', 'a request to read them as shapes', 'Shapes are drawn here.');
    const name = as ?? (await this.hold('read', chosen, async (o) => (await readers()).detectSet(files, chosen, o)));
    return this.take(name, async (o) => {
      const { loadFolderFiles, loadPublishedFiles } = await readers();
      return isPublished(name) ? loadPublishedFiles(name, files, o) : loadFolderFiles(files, o);
    });
  }

  /** Runs a load that ends the one of its kind before it, and that `cancel` ends. */
  private async hold<T>(kind: 'drawn' | 'read', name: DatasetName, load: (o: LoadOptions) => Promise<T>): Promise<T> {
    this.loading.get(kind)?.abort();
    const mine = new AbortController();
    this.loading.set(kind, mine);
    try {
      return await load({ signal: mine.signal, onProgress: (p) => this.emit({ type: 'dataProgress', name, ...p }) });
    } finally {
      if (this.loading.get(kind) === mine) this.loading.delete(kind);
    }
  }

  private async take(name: DatasetName, load: (o: LoadOptions) => Promise<LoadedDataset>): Promise<DatasetInfo> {
    const set = await this.hold(name === 'shapes' ? 'drawn' : 'read', name, load);
    this.loaded.set(name, set);
    for (const { kind, text } of set.notices) {
      if (kind === 'quota') this.emit({ type: 'fault', fault: { kind: 'storage-quota', message: text, detail: `data set ${name}` } });
      else this.emit({ type: 'notice', level: kind === 'incomplete' ? 'info' : 'warn', message: text });
    }
    const info = infoOf(name, set);
    this.emit({ type: 'dataset', info });
    return info;
  }

  /** A set in worker memory; undefined while it is not loaded. */
  held(name: DatasetName): LoadedDataset | undefined {
    return this.loaded.get(name);
  }

  /** True when the GPU holds an older reading of this set. */
  stale(name: DatasetName): boolean {
    return this.resident?.name === name && this.resident.set !== this.loaded.get(name);
  }

  cancel(): void {
    for (const load of this.loading.values()) load.abort();
  }

  /** The set on the GPU; loads and uploads it when it is not there yet. Owned here. */
  async onGpu(gpu: Gpu, name: DatasetName): Promise<RunData> {
    if (!this.loaded.has(name)) await this.load(name);
    const set = this.loaded.get(name)!;
    if (this.resident?.set === set && this.resident.gpu === gpu) return this.resident.data;
    this.release();
    const data = await gpu.guard(`the data set ${set.config.label}`, () => ({
      train: upload(gpu, set, 'train'),
      test: upload(gpu, set, 'test'),
    }));
    this.resident = { name, set, gpu, data };
    return data;
  }

  /**
   * Runs `use` with a set's training images on the GPU: those that are there, else a copy for the while. Nothing that a run uses is
   * touched. `keep`: no run holds another set, so this one may stay.
   */
  async withTraining<T>(
    gpu: Gpu,
    name: DatasetName,
    keep: boolean,
    use: (train: GpuDataset, config: DatasetConfig, count: number) => Promise<T>,
  ): Promise<T> {
    if (!this.loaded.has(name)) await this.load(name);
    const set = this.loaded.get(name)!;
    const { config, train } = set;
    const here = this.resident?.set === set && this.resident.gpu === gpu;
    if (keep || here) return use((await this.onGpu(gpu, name)).train, config, train.count);
    const copy = await gpu.guard(`the data set ${config.label}`, () => upload(gpu, set, 'train'));
    try {
      return await use(copy, config, train.count);
    } finally {
      copy.dispose();
    }
  }

  /** Frees the set on the GPU; no run may use it any more. */
  release(): void {
    if (!this.resident) return;
    this.resident.data.train.dispose();
    this.resident.data.test.dispose();
    this.resident = undefined;
  }

  /** The GPU copy is gone with its device. */
  forget(): void {
    this.resident = undefined;
  }

  /** The first test images as RGBA, for previews; only of sets that are loaded, or drawn here. */
  samples(name: DatasetName, count: number): { width: number; height: number; images: Uint8ClampedArray[]; labels: number[] } {
    const set = this.loaded.get(name) ?? (name === 'shapes' ? firstShapes(count) : undefined);
    if (!set) return { width: 0, height: 0, images: [], labels: [] };
    const { config, test } = set;
    const n = Math.min(count, test.count);
    const images = Array.from({ length: n }, (_, i) => rgbaOf(test.images, i, config));
    const labels = Array.from({ length: n }, (_, i) => test.labels[i]!);
    return { width: config.imageSize, height: config.imageSize, images, labels };
  }
}

/** Image i of a split as RGBA; grey where there is one channel. */
export function rgbaOf(bytes: Uint8Array, i: number, { imageSize, channels }: DatasetConfig): Uint8ClampedArray {
  const pixels = imageSize * imageSize;
  const rgba = new Uint8ClampedArray(pixels * 4).fill(255);
  const at = i * pixels * channels;
  for (let p = 0; p < pixels; p++) for (let c = 0; c < 3; c++) rgba[4 * p + c] = bytes[at + (channels === 3 ? c : 0) * pixels + p]!;
  return rgba;
}

function upload(gpu: Gpu, { config, ...splits }: LoadedDataset, which: 'train' | 'test'): GpuDataset {
  const { name, channels, imageSize, mean, std, flip } = config;
  const split: Split = splits[which];
  return GpuDataset.upload(gpu, { ...split, channels, imageSize, mean, std, flip, label: `${name}.${which}` });
}

function infoOf(name: DatasetName, set: LoadedDataset): DatasetInfo {
  const { config, train, test, origin, bytes, cached } = set;
  return {
    name,
    label: config.label,
    synthetic: config.synthetic,
    trainCount: train.count,
    testCount: test.count,
    imageSize: config.imageSize,
    channels: config.channels,
    classes: config.classes,
    classCounts: countsOf(train, config.classes.length),
    origin,
    bytes,
    cached,
  };
}

/** Training images of each class. */
function countsOf({ labels }: Split, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}
