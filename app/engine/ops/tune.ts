import type { View } from '../gpu/buffers';
import type { DeviceInfo, Gpu } from '../gpu/device';
import { ShaderError } from '../gpu/pipelines';
import { Recorder, type Program } from '../gpu/recorder';
import {
  defaultMatmulTuning,
  matmulScratchBytes,
  recordMatmul,
  type MatmulClass,
  type MatmulKind,
  type MatmulShape,
  type MatmulTuning,
} from './matmul';
import { awake, secondsFor } from './timing';

interface Candidate {
  readonly variant: string;
  /** Its measured speed counts this much: what takes long to compile must be clearly faster. */
  readonly worth: number;
}
interface Probe {
  readonly kinds: readonly MatmulKind[];
  readonly sizes: readonly MatmulClass[];
  readonly shape: MatmulShape;
}

/** Best bets first: the budget may end before the list does. */
const HARDWARE: readonly Candidate[] = ['s64x64', 's32x32', 's64x96', 's128x128', 'r4x4', 'r8x8'].map((variant) => ({
  variant,
  worth: 1,
}));
/** Larger tiles (q16x8, q24x8) take four times as long to compile: heavy products get them without being measured. */
const SOFTWARE_LANES: readonly Candidate[] = [{ variant: 'q8x4', worth: 1 }];
const SOFTWARE: readonly Candidate[] = [
  { variant: 'r8x8', worth: 1 },
  { variant: 'r4x4', worth: 0.9 },
];

/** The products of a ViT's linear layers: forward, input gradient, weight gradient, for few and for many tokens. */
const HARDWARE_PROBES: readonly Probe[] = [
  { kinds: ['nt'], sizes: ['large'], shape: { m: 2080, n: 576, k: 192, transB: true } },
  { kinds: ['nn'], sizes: ['large'], shape: { m: 2080, n: 192, k: 576 } },
  { kinds: ['tn'], sizes: ['large'], shape: { m: 576, n: 192, k: 2080, transA: true } },
  { kinds: ['nt'], sizes: ['small'], shape: { m: 260, n: 192, k: 192, transB: true } },
  { kinds: ['nn'], sizes: ['small'], shape: { m: 260, n: 192, k: 192 } },
  { kinds: ['tn'], sizes: ['small'], shape: { m: 192, n: 192, k: 2080, transA: true } },
];
/** Software adapters are alike in all kinds and need no filling: one product, so that little is compiled. */
const SOFTWARE_PROBES: readonly Probe[] = [
  { kinds: ['nt', 'nn', 'tn'], sizes: ['large', 'small'], shape: { m: 256, n: 192, k: 192, transB: true } },
];

type Rates = Record<MatmulKind, Record<MatmulClass, Record<string, number>>>;
const noRates = (): Rates => ({ nn: { small: {}, large: {} }, nt: { small: {}, large: {} }, tn: { small: {}, large: {} } });
const only = (variant: string, fill: number): MatmulTuning => {
  const rates = { small: { [variant]: 1 }, large: { [variant]: 1 } };
  return { version: 1, rates: { nn: rates, nt: rates, tn: rates }, fill };
};

function candidatesFor(info: DeviceInfo): readonly Candidate[] {
  if (!info.software) return HARDWARE;
  return info.subgroups ? SOFTWARE_LANES : SOFTWARE;
}

/**
 * Measures the variants that suit this kind of device on the products of a small ViT and returns their speeds, with the best
 * one reached in GFLOP/s. Stops adding candidates when the next would pass `budgetMs` (default 1000); at least one is
 * measured. Frees everything it allocates. Measurements differ from call to call: keep the result.
 * @throws ShaderError when no candidate compiles.
 */
export async function tuneMatmul(gpu: Gpu, o: { budgetMs?: number } = {}): Promise<MatmulTuning & { gflops: number }> {
  const { budgetMs = 1000 } = o;
  const usual = defaultMatmulTuning(gpu.info);
  const probes = gpu.info.software ? SOFTWARE_PROBES : HARDWARE_PROBES;
  const largest = Math.max(...probes.map(({ shape: { m, n, k } }) => Math.max(m * n, n * k, m * k)));
  const [a, b, out] = ['a', 'b', 'out'].map((name) => gpu.buffers.allocate(`tune.${name}`, largest * 4)) as [View, View, View];
  const rates = noRates();
  let gflops = 0;
  let failure: ShaderError | undefined;
  const start = performance.now();
  let longest = 0;
  try {
    for (const { variant, worth } of candidatesFor(gpu.info)) {
      const begun = performance.now();
      if (gflops > 0 && begun - start + longest > budgetMs) break;
      try {
        const speeds = await measure(gpu, only(variant, usual.fill), probes, { a, b, out });
        probes.forEach(({ kinds, sizes }, i) => {
          for (const kind of kinds) for (const size of sizes) rates[kind][size][variant] = speeds[i]! * worth;
        });
        gflops = Math.max(gflops, ...speeds);
      } catch (error) {
        // A driver that rejects one variant can still run the others.
        if (!(error instanceof ShaderError)) throw error;
        failure = error;
      }
      longest = Math.max(longest, performance.now() - begun);
    }
  } finally {
    for (const view of [a, b, out]) gpu.buffers.free(view);
  }
  if (gflops === 0 && failure) throw failure;
  return { ...usual, rates, gflops };
}

/** GFLOP/s of one variant on each probe. */
async function measure(
  gpu: Gpu,
  tuning: MatmulTuning,
  probes: readonly Probe[],
  views: { a: View; b: View; out: View },
): Promise<number[]> {
  const scratches = probes.map(({ shape }) => {
    const bytes = matmulScratchBytes(tuning, shape);
    return bytes > 0 ? gpu.buffers.allocate('tune.scratch', bytes) : undefined;
  });
  const programs: Program[] = [];
  try {
    const recorders = probes.map(({ shape }, i) => {
      const recorder = new Recorder(gpu, 'tune');
      recordMatmul(recorder, tuning, { ...shape, ...views, scratch: scratches[i] });
      return recorder;
    });
    // All at once: drivers compile in parallel.
    const built = await awake(gpu, Promise.allSettled(recorders.map((recorder) => recorder.build())));
    for (const result of built) if (result.status === 'fulfilled') programs.push(result.value);
    for (const result of built) if (result.status === 'rejected') throw result.reason;
    const speeds: number[] = [];
    for (const [i, { shape }] of probes.entries())
      speeds.push((2 * shape.m * shape.n * shape.k) / (await secondsFor(gpu, programs[i]!)) / 1e9);
    return speeds;
  } finally {
    for (const program of programs) program.dispose();
    for (const scratch of scratches) if (scratch) gpu.buffers.free(scratch);
  }
}
