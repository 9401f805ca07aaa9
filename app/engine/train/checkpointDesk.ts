import type { CheckpointInfo, LoadedTensors, PretrainedOptions } from '../../protocol/checkpoint';
import type { Experiment } from '../../protocol/experiment';
import { DATASET_CONFIGS } from '../data/index';
import { DataError } from '../data/types';
import type { Gpu } from '../gpu/device';
import { vitParameters, type VitConfig } from '../model/parameters';
import { Keeper, checkpointOf, type Surroundings } from './autosave';
import { checkpointPieces, isCheckpoint, readCheckpoint, snapshotFor, type CheckpointDescription, type ReadCheckpoint } from './checkpoint';
import { CheckpointStore, isQuota, keyOf, newRunKey } from './checkpointStore';
import type { Datasets } from './datasets';
import type { Emit } from './events';
import { fetchBytes, fileAddress } from './fetchWeights';
import { fitPretrained } from './pretrained';
import type { Run } from './run';
import { floatTensors, joined, openSafetensors, type TensorFile } from './safetensors';
import type { Trainer } from './trainer';
import { deviceName, tuningKey, type Tuning } from './tuning';
import { arenaOf } from './weights';

/** What the desk needs of its session. */
export interface DeskHost {
  readonly emit: Emit;
  readonly datasets: Datasets;
  gpu(): Gpu;
  tuning(): Tuning;
  trainer(): Trainer | undefined;
  /** Runs `work` after all earlier exclusive commands. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  ensureTrainer(): Promise<Trainer>;
  /** Makes a run, has it filled, and only then puts it in the place of the current one. */
  replaceRun(experiment: Experiment, fill: (run: Run) => Promise<void>): Promise<Trainer>;
}

type LoadOptions = { experiment: Experiment; as?: 'checkpoint' | 'pretrained' | undefined; options?: PretrainedOptions | undefined };

/** Saves, stores and loads whole runs, and starts runs from weights of any origin. */
export class CheckpointDesk {
  private readonly store = new CheckpointStore();
  private fetching: AbortController | undefined;
  /** Weights that new runs of a model start from, and that model's resolved configuration. */
  private origin: { model: string; arena: Float32Array<ArrayBuffer> } | undefined;

  constructor(private readonly host: DeskHost) {}

  /** From here on the trainer's run is kept in this browser, under a new name or that of an earlier visit. */
  attach(trainer: Trainer, run: string = newRunKey()): void {
    const { host, store } = this;
    let told = false;
    trainer.keeper = new Keeper(
      run,
      {
        write: async (kind, pieces, breathe) => {
          await store.open(run);
          await store.write(run, kind, pieces, breathe);
          const info = await store.info(keyOf(run, kind));
          if (info) host.emit({ type: 'checkpoint', info });
        },
      },
      () => this.surroundings(trainer.experiment, trainer.run),
      (error, bytes) => {
        if (told || !isQuota(error)) return;
        told = true;
        const message = `This browser has no room to keep the run (${Math.ceil(bytes / 1e6)} MB): it trains on, and would be lost with this page. Save a checkpoint to a file, or free some disk space.`;
        host.emit({ type: 'fault', fault: { kind: 'storage-quota', message, detail: `run ${run}` } });
      },
    );
  }

  /** Puts the weights that were loaded last into a fresh run of their model, so that a change of method or a reset keeps them. */
  async begin(run: Run): Promise<void> {
    if (this.origin?.model === JSON.stringify(run.config)) await run.writeParameters(this.origin.arena);
  }
  /** New runs are drawn anew from here on. */
  forgetOrigin(): void {
    this.origin = undefined;
  }

  /** Stores what is not stored yet and gives the run free for other tabs. Never rejects. */
  async detach(trainer: Trainer): Promise<void> {
    const { keeper } = trainer;
    if (!keeper) return;
    await trainer.keepNow();
    trainer.keeper = undefined;
    this.store.close(keeper.key);
  }

  private surroundings({ dataset }: Pick<Experiment, 'dataset'>, run: Run): Surroundings {
    const gpu = this.host.gpu();
    const { shapes, attention } = run.tuning;
    return {
      data: this.host.datasets.mark(dataset) ?? null,
      device: deviceName(gpu.info),
      tuning: tuningKey(gpu.info, { ...this.host.tuning(), ...(shapes && { shapes }), ...(attention && { attention }) }),
      page: __APP_VERSION__,
    };
  }

  /** The current run as one file. */
  save(): Promise<Uint8Array> {
    return this.host.exclusive(async () => {
      const trainer = await this.host.ensureTrainer();
      const { run } = trainer;
      const snapshot = await trainer.snapshots.now();
      const checkpoint = checkpointOf(trainer, snapshot, run.experiment, this.surroundings(run.experiment, run));
      return joined(await checkpointPieces(checkpoint, snapshot, run.stateLayout, run.tables));
    });
  }

  /** Takes over a file of tensors: a run to go on with, weights of this model, or weights to make a model for. */
  async load(bytes: Uint8Array, { experiment, as, options }: LoadOptions): Promise<LoadedTensors> {
    const file = openSafetensors(bytes);
    if (as === 'checkpoint' || (as === undefined && isCheckpoint(file))) return this.continueRun(readCheckpoint(bytes));
    // The shapes of the set as it is loaded: the visitor's own images have no others.
    const resolve = (e: Experiment) => this.host.datasets.resolve(e);
    const fitted = as === 'pretrained' ? undefined : fitting(file, resolve(experiment));
    if (fitted) return this.startFrom('weights', experiment, fitted, []);
    const { experiment: made, arena, notes } = fitPretrained(file, experiment, options, resolve);
    return this.startFrom('pretrained', made, arena, notes);
  }

  /** The same for a file on the web. @throws TensorFileError; AbortError after `cancel` */
  async fetch(url: string, o: LoadOptions): Promise<LoadedTensors> {
    this.fetching?.abort();
    const mine = (this.fetching = new AbortController());
    let told = 0;
    try {
      const bytes = await fetchBytes(fileAddress(url, self.location.href), {
        signal: mine.signal,
        onProgress: (bytes, totalBytes) => {
          if (performance.now() - told < 100) return;
          told = performance.now();
          this.host.emit({ type: 'tensorProgress', bytes, totalBytes });
        },
      });
      return await this.load(bytes, o);
    } finally {
      if (this.fetching === mine) this.fetching = undefined;
    }
  }
  cancel(): void {
    this.fetching?.abort();
  }

  list(): Promise<CheckpointInfo[]> {
    return this.store.list();
  }
  remove(key: string): Promise<void> {
    return this.store.remove(key);
  }

  /** Goes on with a kept run. From its best state a new run branches off, so that its latest stays. */
  async resume(key: string): Promise<LoadedTensors> {
    const [run = '', kind] = key.split(':');
    if (kind === 'best') return this.continueRun(readCheckpoint(await this.store.read(key)));
    await this.store.open(run);
    try {
      return await this.continueRun(readCheckpoint(await this.store.read(key)), run);
    } finally {
      if (this.host.trainer()?.keeper?.key !== run) this.store.close(run);
    }
  }

  private async continueRun(checkpoint: ReadCheckpoint, key?: string): Promise<LoadedTensors> {
    const { experiment, description, evaluations } = checkpoint;
    if (description.data) await this.loadData(experiment);
    return this.host.exclusive(async () => {
      let snapshot: ReturnType<typeof snapshotFor> | undefined;
      const trainer = await this.host.replaceRun(experiment, async (run) => {
        const like = await run.rank.saveState();
        snapshot = snapshotFor(checkpoint, run.stateLayout, run.tables, like);
        run.restore(snapshot);
      });
      if (key !== undefined) {
        trainer.keeper = undefined;
        this.attach(trainer, key);
        await this.store.open(key);
      }
      trainer.keeper?.resumeAt(evaluations.reduce((best, e) => Math.max(best, e.accuracy), -1));
      trainer.continueFrom(checkpoint, snapshot!);
      await trainer.watchSpectra();
      return { kind: 'checkpoint', experiment, step: description.step, notes: this.differences(description, experiment, trainer.run) };
    });
  }

  private startFrom(
    kind: 'weights' | 'pretrained',
    experiment: Experiment,
    arena: Float32Array<ArrayBuffer>,
    notes: readonly string[],
  ): Promise<LoadedTensors> {
    return this.host.exclusive(async () => {
      let kept = 1;
      const trainer = await this.host.replaceRun(experiment, async (run) => {
        kept = await run.writeParameters(arena);
      });
      this.origin = { model: JSON.stringify(trainer.run.config), arena };
      trainer.emitState();
      await trainer.watchSpectra();
      const loss = `LoRA products cannot hold these weights: their best approximations keep ${(100 * kept).toFixed(1)} % of the energy.`;
      return { kind, experiment, step: 0, notes: kept < 1 - 1e-6 ? [...notes, loss] : notes };
    });
  }

  private async loadData({ dataset }: Experiment): Promise<void> {
    try {
      await this.host.datasets.load(dataset);
    } catch (error) {
      if (!(error instanceof DataError) || error.kind === 'cancelled') throw error;
      const { file, expected, found, nextStep, kind } = error;
      const { label } = DATASET_CONFIGS[dataset];
      const message = `The run was trained on ${label}, which could not be loaded: ${error.message} The checkpoint is kept.`;
      throw new DataError(file, expected, found, nextStep, kind, message);
    }
  }

  /** Why the run may not go on as it would have where it was made. */
  private differences({ device, tuning, page, data }: CheckpointDescription, experiment: Experiment, run: Run): string[] {
    const here = this.surroundings(experiment, run);
    const notes: string[] = [];
    if (device !== here.device) notes.push(`It was made on ${device}; on ${here.device} the curve may part from it in the last bits.`);
    else if (page !== here.page)
      notes.push(`It was made by version ${page} of this page; with ${here.page} the curve may part from it in the last bits.`);
    else if (tuning !== here.tuning) notes.push('Other kernels are the fastest here now, so the curve may part from it in the last bits.');
    if (data && here.data && (data.train !== here.data.train || data.test !== here.data.test || data.checksum !== here.data.checksum))
      notes.push(
        `It was trained on ${data.train} images of ${data.name}; the ${here.data.train} that are loaded here are others, so the curve goes on differently.`,
      );
    return notes;
  }
}

/** The arena, where the tensors are exactly those of the model. */
function fitting(file: TensorFile, config: VitConfig): Float32Array<ArrayBuffer> | undefined {
  const table = vitParameters(config);
  const same =
    file.tensors.size === table.entries.length &&
    table.entries.every(({ name, shape }) => file.tensors.get(name)?.shape.join() === shape.join());
  return same ? arenaOf(floatTensors(file), table) : undefined;
}
