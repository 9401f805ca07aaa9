import { Gpu } from '../../../app/engine/gpu/device';
import { stepProducts } from '../../../app/engine/model/memory';
import { matmulShapeKey } from '../../../app/engine/ops/matmul';
import { tuneMatmul } from '../../../app/engine/ops/tune';
import { heaviest } from '../../../app/engine/ops/tuneShapes';
import { resolveModel } from '../../../app/engine/train/datasets';
import { tuningFor } from '../../../app/engine/train/tuning';
import { presetExperiment } from '../../../app/protocol/presets';
import { benchGemm } from '../gemm';
import { round, type Row } from '../section';

export const title = 'What the tuner decides for ViT-Tiny/4 at batch 128 in its time';
export const note =
  'decided: products of exact shapes, of those that carry weight; by units: those that matrix units won; products: ms of all products of a ' +
  'step, one after the other. A software adapter decides by kind alone.';

/** `tuner:MS` allows so many milliseconds. */
export async function run(argument?: string): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    const begun = performance.now();
    const general = await tuneMatmul(gpu);
    const rows: Row[] = [{ what: 'by kind', 's taken': round((performance.now() - begun) / 1000) }];
    const experiment = presetExperiment('tiny');
    for (const halves of gpu.info.software ? [] : [false, true]) {
      const plan = { config: resolveModel(experiment), batch: 128, training: true, halves };
      const all = stepProducts(plan).map(({ shape }) => shape);
      const from = performance.now();
      const tuning = await tuningFor(gpu, general, plan, argument ? { budgetMs: Number(argument) } : {});
      const seconds = (performance.now() - from) / 1000;
      const list = heaviest(all);
      const chosen = Object.values(tuning.shapes ?? {});
      const timed = await benchGemm(gpu, list, tuning);
      const ms = timed.reduce((sum, { shape, gflops }) => {
        const times = all.filter((other) => matmulShapeKey(other) === matmulShapeKey(shape)).length;
        return sum + (times * 2 * shape.m * shape.n * shape.k) / gflops / 1e6;
      }, 0);
      rows.push({
        what: halves ? 'mixed' : 'f32',
        's taken': round(seconds),
        decided: `${chosen.length} of ${list.length}`,
        'by units': chosen.filter(([id]) => id.startsWith('m')).length,
        'products ms': round(ms),
        choices: chosen.map(([id, parts]) => `${id.split('.')[0]}/${parts}`).join(' '),
      });
    }
    return rows;
  } finally {
    gpu.dispose();
  }
}
