import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { VitModel, type VitModelOptions } from '../model/vit';
import type { GpuDataset } from '../ops/gather';
import { Evaluator } from './evaluator';
import type { TestBench } from './truncation';

/**
 * Validation of a run on its test images, beside its steps: a model that is the guest of the one that trains, and one evaluation at a
 * time. Empty until `open`.
 */
export class Validation {
  private evaluator: Evaluator | undefined;
  private model: VitModel | undefined;
  private batch = 0;
  private dataset: GpuDataset | undefined;
  private built: Promise<void> = Promise.resolve();
  /** The evaluation under way; its results are read back one at a time. */
  private evaluating: Promise<void> | undefined;

  /**
   * Allocates what validation needs, and begins to compile it: `evaluable` tells when that has ended.
   * @param params what is validated @throws OutOfMemoryError
   */
  async open(gpu: Gpu, dataset: GpuDataset, params: View, o: Omit<VitModelOptions, 'training'>): Promise<void> {
    await gpu.guard('the validation pass', () => {
      this.model = new VitModel(gpu, { ...o, training: false });
      this.evaluator = new Evaluator(gpu, this.model, o.batch, dataset);
    });
    [this.batch, this.dataset] = [o.batch, dataset];
    this.built = this.evaluator!.build(params);
    this.built.catch(() => undefined);
  }

  /** Frees everything; it may be opened again. */
  close(): void {
    this.evaluator?.dispose();
    this.model?.dispose();
    [this.evaluator, this.model, this.dataset] = [undefined, undefined, undefined];
  }

  /** Resolves when nothing is being compiled. @throws ShaderError */
  compiled(): Promise<void> {
    return this.built;
  }

  /** Resolves when a validation can be queued at once. @throws ShaderError */
  async evaluable(): Promise<void> {
    await this.built;
    while (this.evaluating) await this.evaluating;
  }

  /** See `Run.evaluate`. */
  async evaluate(count: number): Promise<{ loss: number; accuracy: number; count: number }> {
    const { evaluator } = this;
    if (!evaluator) throw new Error('the run has no data to validate on');
    // Another that waited may have begun in between.
    while (!evaluator.built || this.evaluating) await this.evaluable();
    const result = evaluator.run(count);
    const done = () => void (this.evaluating = undefined);
    this.evaluating = result.then(done, done);
    return result;
  }

  /** The model that validates, with its images; its owner's work on it is always queued in one go. */
  get bench(): TestBench | undefined {
    const { model, batch, dataset } = this;
    return model && dataset && { model, batch, dataset };
  }
}
