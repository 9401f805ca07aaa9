import type { DatasetName, Experiment } from '../../protocol/experiment';
import type { DatasetInfo } from '../../protocol/messages';
import { DATASET_CONFIGS, firstShapes, loadCifar10, loadCifar10Files, loadShapes } from '../data/index';
import { DataError, type LoadedDataset, type NamedBlob, type Progress, type Split } from '../data/types';
import type { Gpu } from '../gpu/device';
import type { VitConfig } from '../model/parameters';
import { GpuDataset } from '../ops/gather';
import type { Emit } from './events';
import type { RunData } from './run';

/** The network's input and output shapes: as the experiment says, else as its data set has them. */
export function resolveModel({ dataset, model }: Experiment): VitConfig {
  const { imageSize, channels, classes } = DATASET_CONFIGS[dataset];
  return {
    imageSize: model.imageSize ?? imageSize,
    inChannels: model.inChannels ?? channels,
    numClasses: model.numClasses ?? classes.length,
    patchSize: model.patchSize,
    embedDim: model.embedDim,
    depth: model.depth,
    numHeads: model.numHeads,
    mlpRatio: model.mlpRatio,
  };
}

/** Images in a set: as loaded, else as published. */
export interface Counts {
  readonly train: number;
  readonly test: number;
}

/** The data sets of this visit: decoded ones in worker memory, the one in use on the GPU. */
export class Datasets {
  private readonly loaded = new Map<DatasetName, LoadedDataset>();
  private resident: { name: DatasetName; set: LoadedDataset; gpu: Gpu; data: RunData } | undefined;
  private loading: AbortController | undefined;

  constructor(
    private readonly emit: Emit,
    private readonly baseUrl: () => string,
  ) {}

  counts(name: DatasetName): Counts {
    const set = this.loaded.get(name);
    const config = DATASET_CONFIGS[name];
    return set ? { train: set.train.count, test: set.test.count } : { train: config.trainCount, test: config.testCount };
  }

  /** Loads a set from the nearest source, unless it is already here. @throws DataError; the sets loaded before stay. */
  load(name: DatasetName, refresh = false): Promise<DatasetInfo> {
    const there = this.loaded.get(name);
    if (there && !refresh) {
      const info = infoOf(name, there);
      this.emit({ type: 'dataset', info });
      return Promise.resolve(info);
    }
    return this.take(name, (o) => (name === 'shapes' ? loadShapes(o) : loadCifar10({ ...o, baseUrl: this.baseUrl(), refresh })));
  }

  /** Reads a set from dropped or chosen files. @throws DataError naming the file, what was expected and what was found */
  loadFiles(name: DatasetName, files: NamedBlob[]): Promise<DatasetInfo> {
    if (name !== 'cifar10')
      return Promise.reject(
        new DataError(files[0]?.name ?? 'files', 'CIFAR-10 files', `a request to read them as ${name}`, 'Drop the files of CIFAR-10.'),
      );
    return this.take(name, (o) => loadCifar10Files(files, o));
  }

  private async take(
    name: DatasetName,
    load: (o: { signal: AbortSignal; onProgress: Progress }) => Promise<LoadedDataset>,
  ): Promise<DatasetInfo> {
    this.loading?.abort();
    const mine = (this.loading = new AbortController());
    try {
      const set = await load({ signal: mine.signal, onProgress: (p) => this.emit({ type: 'dataProgress', name, ...p }) });
      this.loaded.set(name, set);
      for (const { kind, text } of set.notices) {
        if (kind === 'quota') this.emit({ type: 'fault', fault: { kind: 'storage-quota', message: text, detail: `data set ${name}` } });
        else this.emit({ type: 'notice', level: kind === 'incomplete' ? 'info' : 'warn', message: text });
      }
      const info = infoOf(name, set);
      this.emit({ type: 'dataset', info });
      return info;
    } finally {
      if (this.loading === mine) this.loading = undefined;
    }
  }

  /** True when the GPU holds an older reading of this set. */
  stale(name: DatasetName): boolean {
    return this.resident?.name === name && this.resident.set !== this.loaded.get(name);
  }

  cancel(): void {
    this.loading?.abort();
  }

  /** The set on the GPU; loads and uploads it when it is not there yet. Owned here. */
  async onGpu(gpu: Gpu, name: DatasetName): Promise<RunData> {
    if (!this.loaded.has(name)) await this.load(name);
    const set = this.loaded.get(name)!;
    if (this.resident?.set === set && this.resident.gpu === gpu) return this.resident.data;
    this.release();
    const upload = (split: Split, label: string): GpuDataset =>
      GpuDataset.upload(gpu, {
        ...split,
        channels: set.config.channels,
        imageSize: set.config.imageSize,
        mean: set.config.mean,
        std: set.config.std,
        label,
      });
    const data = await gpu.guard(`the data set ${set.config.label}`, () => ({
      train: upload(set.train, `${name}.train`),
      test: upload(set.test, `${name}.test`),
    }));
    this.resident = { name, set, gpu, data };
    return data;
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
    const pixels = config.imageSize * config.imageSize;
    const images: Uint8ClampedArray[] = [];
    const labels: number[] = [];
    for (let i = 0; i < Math.min(count, test.count); i++) {
      const rgba = new Uint8ClampedArray(pixels * 4);
      const at = i * pixels * config.channels;
      for (let p = 0; p < pixels; p++) {
        for (let c = 0; c < 3; c++) rgba[4 * p + c] = test.images[at + (config.channels === 3 ? c : 0) * pixels + p]!;
        rgba[4 * p + 3] = 255;
      }
      images.push(rgba);
      labels.push(test.labels[i]!);
    }
    return { width: config.imageSize, height: config.imageSize, images, labels };
  }
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
    origin,
    bytes,
    cached,
  };
}
