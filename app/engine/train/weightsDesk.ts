import type { Batch, CommandMap, StepRecord } from '../../protocol/messages';
import { checkCut, checkShares, type CutChoice } from '../../protocol/truncation';
import type { Emit } from './events';
import { readSafetensors, writeSafetensors, type Tensor } from './safetensors';
import type { Trainer } from './trainer';
import { arenaOf, factoredFile, tensorsOf } from './weights';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/** What the desk needs of the session. */
interface Host {
  readonly emit: Emit;
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** The current run; made when there is none. With `data`, its data set is on the GPU. */
  ensureTrainer(data: boolean): Promise<Trainer>;
  endRun(): Promise<void>;
}

/** Weights of the current run in and out, whole or truncated, and batches given by hand. */
export class WeightsDesk {
  constructor(private readonly host: Host) {}

  exportWeights(): Promise<Uint8Array> {
    return this.host.exclusive(async () => {
      const { run } = await this.host.ensureTrainer(false);
      const { experiment } = run;
      return writeSafetensors(tensorsOf(await run.readParameters(), run.table), {
        format: 'pt',
        'q3r.experiment': JSON.stringify(experiment),
      });
    });
  }

  /** A run at step 0 that starts from these weights. @throws Error naming the first tensor that does not fit; the run then stays */
  importWeights(bytes: Uint8Array): Reply<'importWeights'> {
    return this.host.exclusive(async () => {
      const { table } = (await this.host.ensureTrainer(false)).run;
      const arena = arenaOf(readSafetensors(bytes), table);
      await this.host.endRun();
      const trainer = await this.host.ensureTrainer(false);
      const kept = await trainer.run.writeParameters(arena);
      if (kept < 1 - 1e-6)
        this.host.emit({
          type: 'notice',
          level: 'warn',
          message: `LoRA products cannot hold the weights of the file: their best approximations keep ${(100 * kept).toFixed(1)} % of the energy.`,
        });
      await trainer.watchSpectra();
    });
  }

  gradients(batch: Batch): Promise<Uint8Array> {
    return this.host.exclusive(async () => {
      const { run } = await this.host.ensureTrainer(false);
      const { loss, logits, grads } = await run.gradients(batch);
      const out = new Map<string, Tensor>([
        ['logits', { shape: [batch.labels.length, run.config.numClasses], data: logits }],
        ['loss', { shape: [], data: new Float32Array([loss]) }],
      ]);
      for (const [name, tensor] of tensorsOf(grads, run.table)) out.set(`grads.${name}`, tensor);
      return writeSafetensors(out);
    });
  }

  trainOn(batch: Batch): Promise<StepRecord> {
    return this.host.exclusive(async () => (await this.host.ensureTrainer(false)).trainOn(batch));
  }

  /** Logits; of the truncated model where a cut is given. @throws RangeError */
  predict(images: Float32Array, cut?: CutChoice): Promise<Float32Array> {
    if (cut) checkCut(cut);
    return this.host.exclusive(async () => {
      const { run } = await this.host.ensureTrainer(false);
      return cut ? (await run.truncation()).predict(images, cut) : run.predict(images);
    });
  }

  /** @throws RangeError for a value that is no share, ConfigError when no matrix is chosen */
  truncate({ values, by, count, fresh = true }: CommandMap['truncate']['args']): Reply<'truncate'> {
    checkShares(values, by);
    // Only its start waits for its turn: a curve takes seconds, and a setting may change and a pause be pressed meanwhile.
    return this.host.exclusive(() => this.host.ensureTrainer(true)).then(({ cutting }) => cutting.truncate({ values, by, count, fresh }));
  }

  /** @throws RangeError, ConfigError */
  exportFactored(cut: CutChoice): Promise<Uint8Array> {
    checkCut(cut);
    return this.host.exclusive(async () => {
      const { run } = await this.host.ensureTrainer(false);
      return factoredFile(await (await run.truncation()).export(cut), cut, run.experiment);
    });
  }
}
