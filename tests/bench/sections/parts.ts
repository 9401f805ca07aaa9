import { patchExperiment, type Experiment } from '../../../app/protocol/experiment';
import { presetExperiment } from '../../../app/protocol/presets';
import { kernelTime, type KernelFigures } from '../../../app/protocol/roofline';
import { openEngine } from '../engine';
import { round, type Row } from '../section';

export const title = 'Adding up the gradients of a batch in parts';
export const note =
  'AdamW, batch 32. Each kernel by timestamp queries, mean of the steps of so many seconds. Sum: the gradients of a part, layer by layer, ' +
  'added to those of the parts before it; clear: zeros before the first part.';

const SECONDS = 8;
const BATCH = 32;

const models: readonly { name: string; experiment: Experiment }[] = [
  { name: 'ViT-Nano/8', experiment: presetExperiment('nano') },
  { name: 'ViT-Micro/4', experiment: presetExperiment('micro') },
  { name: 'ViT-Tiny/4, one block', experiment: patchExperiment(presetExperiment('tiny'), { model: { depth: 1, pool: 'avg' } }) },
];

export async function run(): Promise<Row[]> {
  const engine = await openEngine();
  try {
    const rows: Row[] = [];
    for (const { name, experiment } of models)
      for (const accumulate of [2, 4]) {
        const { kernels } = await engine.client.send('roofline', {
          experiment: patchExperiment(experiment, { train: { batchSize: BATCH, accumulate, evalEvery: 0 }, method: { name: 'adamw' } }),
          seconds: SECONDS,
        });
        const all = kernelTime(kernels);
        const of = (kernel: string): readonly KernelFigures[] => kernels.filter((k) => k.kernel.startsWith(`accumulate/${kernel}`));
        const share = (ms: number): string => `${(100 * (ms / all)).toFixed(2)} %`;
        const [sum, clear] = [of('sum'), of('clear')];
        rows.push({
          model: name,
          parts: accumulate,
          'kernels ms': round(all),
          sums: sum.reduce((n, { dispatches }) => n + dispatches, 0),
          'sum ms': round(kernelTime(sum)),
          'of step': share(kernelTime(sum)),
          'clear ms': round(kernelTime(clear)),
          'clear of step': share(kernelTime(clear)),
        });
      }
    return rows;
  } finally {
    engine.close();
  }
}
