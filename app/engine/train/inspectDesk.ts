import type { CommandMap } from '../../protocol/messages';
import { MAX_INSPECTED, TOP, predictionsOf, type InspectSource, type Pixels } from '../../protocol/inspection';
import { checkCut, type CutChoice } from '../../protocol/truncation';
import type { LoadedDataset } from '../data/types';
import type { VitPlan } from '../model/memory';
import { vitShape } from '../model/shape';
import { rgbaOf, type Datasets } from './datasets';
import { checkBatch } from './handBatch';
import { lookAt, surveyLogits, type Given, type Weights } from './inspector';
import { readPicture } from './picture';
import type { Run } from './run';
import type { Trainer } from './trainer';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/** What the desk needs of the session. */
interface Host {
  readonly datasets: Datasets;
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** The current run; made when there is none. With `data`, its data set is on the GPU. */
  ensureTrainer(data: boolean): Promise<Trainer>;
}

/** Images to look at, and what is known of them. */
interface Taken {
  readonly given: Given;
  readonly count: number;
  readonly labels: Uint16Array | null;
  readonly pixels: Pixels | null;
  readonly inverted: boolean;
}

/** What the current run's evaluated weights, whole and truncated, say of images. Queued behind the steps; changes nothing of the run. */
export class InspectDesk {
  constructor(private readonly host: Host) {}

  /** @throws RangeError for a cut that is none, ConfigError when no matrix is chosen to truncate */
  survey({ count, cut, fresh = true }: CommandMap['survey']['args']): Reply<'survey'> {
    if (cut) checkCut(cut);
    return this.host.exclusive(async () => {
      const trainer = await this.host.ensureTrainer(true);
      const { run } = trainer;
      const bench = run.bench!;
      const n = Math.min(count ?? trainer.cutting.images, bench.dataset.count);
      const { numClasses: classes } = run.config;
      const plan: VitPlan = { config: run.config, batch: bench.batch, training: false, tuning: run.tuning, halves: run.halves };
      const { step, results } = await this.both(trainer, plan, cut, fresh, (weights, queued) =>
        surveyLogits(run.gpu, bench, { weights, count: n, classes, queued }),
      );
      const labels = Uint16Array.from(this.set(run).test.labels.subarray(0, n));
      const [full, truncated] = results.map((logits) => predictionsOf(logits, labels, classes));
      return {
        step,
        average: run.experiment.train.emaDecay > 0,
        count: n,
        classes,
        best: Math.min(TOP, classes),
        labels,
        full: full!,
        cut: cut && truncated ? { ...truncated, choice: cut } : null,
      };
    });
  }

  /** @throws RangeError naming the image that cannot be used, ConfigError when no matrix is chosen to truncate */
  inspect({ source, cut, fresh = true }: CommandMap['inspect']['args']): Reply<'inspect'> {
    if (cut) checkCut(cut);
    return this.host.exclusive(async () => {
      const trainer = await this.host.ensureTrainer(true);
      const { run } = trainer;
      const { config } = run;
      const { given, count, ...known } = await this.take(run, source);
      const plan: VitPlan = { config, batch: count, training: false, tuning: run.tuning, halves: run.halves };
      const { step, results } = await this.both(trainer, plan, cut, fresh, (weights, queued) =>
        lookAt(run.gpu, plan, given, weights, queued),
      );
      const { side, tokens } = vitShape(config);
      const [full, truncated] = results;
      return {
        step,
        average: run.experiment.train.emaDecay > 0,
        count,
        classes: config.numClasses,
        shape: { layers: config.depth, heads: config.numHeads, tokens, side, query: config.pool === 'avg' ? 'mean' : 'class' },
        full: full!,
        cut: cut && truncated ? { ...truncated, choice: cut } : null,
        ...known,
      };
    });
  }

  /** @throws RangeError for a number that is no test image */
  testImages(indices: readonly number[]): Reply<'testImages'> {
    return this.host.exclusive(async () => {
      const set = this.set((await this.host.ensureTrainer(true)).run);
      checkIndices(indices, set.test.count);
      return pixelsOf(set, indices);
    });
  }

  /** Runs `use` on the evaluated weights, and with a cut on those and the truncated ones of one moment; which is after `step`. */
  private async both<T>(
    { run, cutting }: Trainer,
    plan: VitPlan,
    cut: CutChoice | undefined,
    fresh: boolean,
    use: (weights: Weights[], queued?: () => void) => Promise<T[]>,
  ): Promise<{ step: number; results: T[] }> {
    if (!cut) {
      let step = 0;
      const results = await use([{ params: run.evaluated }], () => (step = run.submitted));
      return { step, results };
    }
    const truncation = await run.truncation();
    return truncation.use(cut, { plan, fresh: cutting.takes(truncation, fresh) }, async ({ step, params, linear }) => ({
      step,
      results: await use([{ params }, { params, linear }]),
    }));
  }

  private set(run: Run): LoadedDataset {
    const set = this.host.datasets.held(run.experiment.dataset);
    if (!set) throw new Error(`the data set ${run.experiment.dataset} is not in memory`);
    return set;
  }

  private async take(run: Run, source: InspectSource): Promise<Taken> {
    if ('images' in source) {
      const count = checkBatch(run.config, source.images);
      checkCount(count);
      return { given: source.images, count, labels: null, pixels: null, inverted: false };
    }
    const set = this.set(run);
    const { name, imageSize, channels, mean, std } = set.config;
    const given = (images: Uint8Array, count: number): Given => ({
      ...{ images, count, channels, imageSize, mean, std, labels: new Uint8Array(count) },
      label: `${name}.look`,
    });
    if ('picture' in source) {
      const { bytes, inverted } = await readPicture(source.picture, set.config, source.invert);
      const pixels = { width: imageSize, height: imageSize, images: [rgbaOf(bytes, 0, set.config)] };
      return { given: given(bytes, 1), count: 1, labels: null, pixels, inverted };
    }
    const { indices } = source;
    checkCount(indices.length);
    checkIndices(indices, set.test.count);
    const one = channels * imageSize * imageSize;
    const bytes = new Uint8Array(indices.length * one);
    indices.forEach((index, i) => bytes.set(set.test.images.subarray(index * one, (index + 1) * one), i * one));
    const labels = Uint16Array.from(indices, (index) => set.test.labels[index]!);
    return { given: given(bytes, indices.length), count: indices.length, labels, pixels: pixelsOf(set, indices), inverted: false };
  }
}

const pixelsOf = ({ config, test }: LoadedDataset, indices: readonly number[]): Pixels => ({
  width: config.imageSize,
  height: config.imageSize,
  images: indices.map((index) => rgbaOf(test.images, index, config)),
});

function checkCount(count: number): void {
  if (count < 1 || count > MAX_INSPECTED) throw new RangeError(`${count} images; 1 to ${MAX_INSPECTED} can be looked at at once.`);
}

function checkIndices(indices: readonly number[], count: number): void {
  const bad = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < count));
  if (bad !== undefined) throw new RangeError(`There is no test image ${bad}; they are numbered 0 to ${count - 1}.`);
}
