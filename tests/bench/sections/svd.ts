import { Gpu } from '../../../app/engine/gpu/device';
import type { Program } from '../../../app/engine/gpu/recorder';
import { MAX_SWEEPS, SvdBatch } from '../../../app/engine/linalg/svdBatch';
import { weightMatrices } from '../../../app/engine/model/matrices';
import { initialParameters, vitParameters, type VitConfig } from '../../../app/engine/model/parameters';
import { targetRank } from '../../../app/engine/regularizers/q3r/targetRank';
import { median, round, type Row } from '../section';

export const title = 'SVD of the 72 matrices of twelve blocks at once';
export const note =
  'Target rank 0.2, sketch of that and 9 more columns, one power iteration. Warm: from the last decomposition after a move of 0.1 %, as between two refreshes.';

const ROUNDS = 3;
const OVERSAMPLE = 8;
const BLOCKS = { imageSize: 32, inChannels: 3, numClasses: 10, patchSize: 4, depth: 12, numHeads: 4 };
const MODELS: readonly { label: string; config: VitConfig; software: boolean }[] = [
  { label: 'width 48', config: { ...BLOCKS, embedDim: 48, mlpRatio: 2 }, software: true },
  { label: 'width 192 (ViT-Tiny)', config: { ...BLOCKS, embedDim: 192, mlpRatio: 4 }, software: false },
];

export async function run(): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    const rows: Row[] = [];
    for (const { label, config, software } of MODELS)
      if (software || !gpu.info.software) rows.push(...(await measure(gpu, label, config)));
      else rows.push({ matrices: label, kind: 'left out: minutes on a software adapter' });
    return rows;
  } finally {
    gpu.dispose();
  }
}

async function measure(gpu: Gpu, label: string, config: VitConfig): Promise<Row[]> {
  const table = vitParameters(config);
  const matrices = weightMatrices(config, table, false).filter((m) => m.block >= 0);
  const weights = initialParameters(config, table, 1);
  const noise = initialParameters(config, table, 2);
  const arena = gpu.upload('bench.weights', weights);
  const batch = new SvdBatch(gpu, { matrices, arena });
  await batch.build();
  const ranks = matrices.map((m) => targetRank(0.2, m.rows, m.cols, 'min'));
  batch.configure(
    ranks,
    ranks.map((rank) => rank + 1 + OVERSAMPLE),
  );
  const timed = async (program: Program): Promise<number> => {
    await gpu.idle();
    const begun = performance.now();
    program.run(4);
    await gpu.idle();
    return performance.now() - begun;
  };
  /** Weights a little further, as after some steps. */
  const move = (times: number): void =>
    gpu.write(
      arena,
      weights.map((w, i) => w + times * 1e-3 * noise[i]!),
    );
  const bench = async (kind: string, cold: () => Program, warm?: () => Program): Promise<Row> => {
    // The first run warms up: drivers finish compiling in it.
    batch.reset();
    await timed(cold());
    const ms: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      if (warm) move(i + 1);
      else batch.reset();
      ms.push(await timed((warm ?? cold)()));
    }
    move(0);
    const unfinished = (await batch.readStatus()).filter((s) => !s.converged).length;
    return { matrices: `${matrices.length}, ${label}`, kind, ms: round(median(ms)), unfinished };
  };
  const sweeps = async (): Promise<number> => SvdBatch.nextSweeps(await batch.readStatus());
  try {
    const rows = [await bench('exact, cold', () => batch.coldExact())];
    const exactSweeps = await sweeps();
    rows.push(
      await bench(
        'exact, warm',
        () => batch.coldExact(),
        () => batch.exact(exactSweeps),
      ),
    );
    rows.push(await bench('sketch, cold', () => batch.sketch(1, MAX_SWEEPS)));
    batch.reset();
    await timed(batch.sketch(1, MAX_SWEEPS));
    await timed(batch.sketch(1, MAX_SWEEPS));
    const sketchSweeps = await sweeps();
    rows.push(
      await bench(
        'sketch, warm',
        () => batch.sketch(1, MAX_SWEEPS),
        () => batch.sketch(1, sketchSweeps),
      ),
    );
    return rows;
  } finally {
    batch.dispose();
    gpu.buffers.free(arena);
  }
}
