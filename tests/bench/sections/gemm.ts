import { Gpu } from '../../../app/engine/gpu/device';
import { stepProducts } from '../../../app/engine/model/memory';
import type { MatmulShape } from '../../../app/engine/ops/matmul';
import { resolveModel } from '../../../app/engine/train/datasets';
import { PRESETS, presetExperiment } from '../../../app/protocol/presets';
import { benchGemm } from '../gemm';
import { round, type Row } from '../section';

export const title = 'Matrix products of one training step';
export const note = 'NT: forward, NN: input gradient, TN: weight gradient; the first of several layers with the same sizes gives the name.';

/** Products that a software adapter would spend minutes on are left out there. */
const SOFTWARE_FLOPS = 5e8;

const flops = ({ m, n, k }: MatmulShape): number => 2 * m * n * k;
const formOf = ({ transA, transB }: MatmulShape): string => `${transA ? 'T' : 'N'}${transB ? 'T' : 'N'}`;
const keyOf = (shape: MatmulShape): string => `${formOf(shape)} ${shape.m} × ${shape.n} × ${shape.k}`;

/** Every distinct product of each preset's step that carries weight; the last block's, for class tokens only, do not. */
function products(most: number): { preset: string; name: string; shape: MatmulShape }[] {
  return PRESETS.flatMap(({ key, label }) => {
    const experiment = presetExperiment(key);
    const all = stepProducts({ config: resolveModel(experiment), batch: experiment.train.batchSize, training: true });
    const least = Math.max(...all.map(({ shape }) => flops(shape))) / 50;
    const distinct = new Map<string, { preset: string; name: string; shape: MatmulShape }>();
    for (const { name, shape } of all)
      if (!distinct.has(keyOf(shape)) && flops(shape) >= least && flops(shape) <= most)
        distinct.set(keyOf(shape), { preset: label, name, shape });
    return [...distinct.values()];
  });
}

export async function run(): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    const list = products(gpu.info.software ? SOFTWARE_FLOPS : Infinity);
    const results = await benchGemm(
      gpu,
      list.map(({ shape }) => shape),
    );
    return results.map(({ shape, variant, splits, gflops }, i) => ({
      preset: list[i]!.preset,
      product: list[i]!.name.replace(/^blocks\.\d+\./, ''),
      form: formOf(shape),
      'm × n × k': `${shape.m} × ${shape.n} × ${shape.k}`,
      variant,
      splits,
      'GFLOP/s': round(gflops),
    }));
  } finally {
    gpu.dispose();
  }
}
