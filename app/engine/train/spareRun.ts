import type { Experiment } from '../../protocol/experiment';
import type { Gpu } from '../gpu/device';
import type { MatmulTuning } from '../ops/matmul';
import type { Datasets } from './datasets';
import { Run } from './run';

/**
 * The run that Play would make, made while the visitor still reads: shaders compiled, shapes drawn, buffers allocated. The next start of the
 * same experiment takes it over; one of another drops it. Not to be used by two commands at once.
 */
export class SpareRun {
  private made: { readonly key: string; readonly run: Run } | undefined;
  private underWay = false;

  constructor(private readonly datasets: Datasets) {}

  get run(): Run | undefined {
    return this.made?.run;
  }
  /** True while one is being compiled. */
  get warming(): boolean {
    return this.underWay;
  }

  /** @throws OutOfMemoryError, ShaderError */
  async make(experiment: Experiment, gpu: Gpu, tuning: MatmulTuning): Promise<void> {
    await this.drop();
    this.underWay = true;
    try {
      const images = experiment.dataset === 'shapes' ? this.datasets.onGpu(gpu, 'shapes') : undefined;
      images?.catch(() => undefined);
      const run = await Run.create(gpu, experiment, this.datasets.resolve(experiment), tuning);
      this.made = { key: JSON.stringify(experiment), run };
      if (images) await run.attach(await images);
    } catch (error) {
      // One that found no room for its data is not there to be taken, nor in the way of another.
      await this.drop();
      throw error;
    } finally {
      this.underWay = false;
    }
  }

  async drop(): Promise<void> {
    const { made } = this;
    this.made = undefined;
    await made?.run.dispose();
  }

  /** Its buffers are gone with their device. */
  forget(): void {
    this.made = undefined;
  }

  /** The run made ahead, which is the caller's from now on, if it is of this experiment; else none, and it is dropped. */
  async take(experiment: Experiment): Promise<Run | undefined> {
    const { made } = this;
    if (!made || made.key !== JSON.stringify(experiment) || !this.datasets.fits(experiment, made.run.config)) {
      await this.drop();
      return undefined;
    }
    this.made = undefined;
    return made.run;
  }
}
