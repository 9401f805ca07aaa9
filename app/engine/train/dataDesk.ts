import type { DatasetName } from '../../protocol/experiment';
import type { CommandMap, DatasetInfo } from '../../protocol/messages';
import type { Gpu } from '../gpu/device';
import type { Datasets } from './datasets';
import { previewBatch } from './preview';
import type { Run } from './run';
import type { SpareRun } from './spareRun';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/** What the desk needs of the session. */
export interface DataOffice {
  readonly datasets: Datasets;
  readonly spare: SpareRun;
  readonly gpu: () => Gpu;
  /** The current run. */
  readonly run: () => Run | undefined;
  readonly endRun: () => Promise<void>;
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Commands about data sets: loading them, and looking at their images. */
export class DataDesk {
  constructor(private readonly o: DataOffice) {}

  load(name: DatasetName, refresh?: boolean): Reply<'loadDataset'> {
    return this.replace(() => this.o.datasets.load(name, refresh));
  }
  loadFiles({ files, as, chosen }: CommandMap['loadFiles']['args']): Reply<'loadFiles'> {
    return this.replace(() => this.o.datasets.loadFiles(files, as, chosen));
  }
  cancel(): void {
    this.o.datasets.cancel();
  }

  /** A run holds its data set on the GPU, and has its shapes: when that set is replaced, the run ends. */
  private async replace(load: () => Promise<DatasetInfo>): Promise<DatasetInfo> {
    const { datasets, spare, run, endRun, exclusive } = this.o;
    const info = await load();
    // Nothing that holds it: no need to wait for what is being prepared.
    if (!run() && !spare.run && !datasets.stale(info.name)) return info;
    return exclusive(async () => {
      const stale = datasets.stale(info.name);
      const current = run();
      const ahead = spare.run;
      const ends = ({ experiment, config }: Run) => experiment.dataset === info.name && (stale || !datasets.fits(experiment, config));
      if (current && ends(current)) await endRun();
      if (ahead && (stale || ends(ahead))) await spare.drop();
      if (stale) datasets.release();
      return info;
    });
  }

  samples(name: DatasetName, count: number): CommandMap['samples']['reply'] {
    return this.o.datasets.samples(name, count);
  }

  /** A batch as a run of the experiment would get it, as pixels to look at. */
  preview({ name, ...o }: CommandMap['preview']['args']): Reply<'preview'> {
    const { datasets, spare, run, exclusive } = this.o;
    return exclusive(() => {
      const free = !run() && !spare.run;
      const gpu = this.o.gpu();
      return datasets.withTraining(gpu, name, free, (train, config, count) =>
        previewBatch(gpu, { ...o, train, config, trainCount: count }),
      );
    });
  }
}
