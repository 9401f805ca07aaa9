import { Gpu } from '../../../app/engine/gpu/device';
import { submitsFor, type Program } from '../../../app/engine/gpu/recorder';
import { MAX_SWEEPS, SvdBatch, type MatrixShape } from '../../../app/engine/linalg/svdBatch';
import { weightMatrices } from '../../../app/engine/model/matrices';
import { initialParameters, vitParameters, type VitConfig } from '../../../app/engine/model/parameters';
import { targetRank } from '../../../app/engine/regularizers/q3r/targetRank';
import { uniform } from '../../support/gpu';
import { median, round, type Row } from '../section';

export const title = 'SVD of many matrices at once';
export const note =
  'Target rank 0.2, sketch of that and 9 more columns, one power iteration; 72: the matrices of twelve blocks, 36: uniform ones. Warm: from the last decomposition after a move of 0.1 %, as between two refreshes. Medians of three exact ones and of nine sketches.';

/** Of exact decompositions, and of sketches, which are short beside what else a machine does. */
const ROUNDS = { exact: 3, sketch: 9 };
const OVERSAMPLE = 8;
const BLOCKS = { imageSize: 32, inChannels: 3, numClasses: 10, patchSize: 4, depth: 12, numHeads: 4 };
const MODELS: readonly { label: string; config: VitConfig; software: boolean }[] = [
  { label: '72, width 48', config: { ...BLOCKS, embedDim: 48, mlpRatio: 2 }, software: true },
  { label: '72, width 192 (ViT-Tiny)', config: { ...BLOCKS, embedDim: 192, mlpRatio: 4 }, software: false },
];
const SQUARES = { count: 36, size: 192 };

interface Case {
  readonly label: string;
  readonly matrices: readonly MatrixShape[];
  readonly weights: Float32Array<ArrayBuffer>;
  readonly noise: Float32Array<ArrayBuffer>;
}

export async function run(): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    const rows: Row[] = [];
    for (const { label, config, software } of MODELS)
      if (software || !gpu.info.software) rows.push(...(await measure(gpu, blocks(label, config))));
      else rows.push({ matrices: label, kind: 'left out: a minute on a software adapter' });
    rows.push(...(await measure(gpu, squares())));
    return rows;
  } finally {
    gpu.dispose();
  }
}

function blocks(label: string, config: VitConfig): Case {
  const table = vitParameters(config);
  const matrices = weightMatrices(config, table, false).filter((m) => m.block >= 0);
  return { label, matrices, weights: initialParameters(config, table, 1), noise: initialParameters(config, table, 2) };
}

function squares(): Case {
  const { count, size } = SQUARES;
  const matrices = Array.from({ length: count }, (_, i) => ({ name: `matrix ${i}`, offset: i * size * size, rows: size, cols: size }));
  const [weights, noise] = [1, 2].map((seed) => uniform(count * size * size, seed)) as [Case['weights'], Case['noise']];
  return { label: `${count}, ${size} × ${size}`, matrices, weights, noise };
}

async function measure(gpu: Gpu, { label, matrices, weights, noise }: Case): Promise<Row[]> {
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
    program.run(submitsFor(gpu, program));
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
    for (let i = 0; i < ROUNDS[kind.startsWith('exact') ? 'exact' : 'sketch']; i++) {
      if (warm) move(i + 1);
      else batch.reset();
      ms.push(await timed((warm ?? cold)()));
    }
    move(0);
    const unfinished = (await batch.readStatus()).filter((s) => !s.converged).length;
    return { matrices: label, kind, ms: round(median(ms)), least: round(Math.min(...ms)), most: round(Math.max(...ms)), unfinished };
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
