import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { VitModel } from '../../../app/engine/model/vit';
import { defaultMatmulTuning } from '../../../app/engine/ops/matmul';
import { resolveModel } from '../../../app/engine/train/datasets';
import { planExperiment } from '../../../app/engine/train/plan';
import { Run, type RunData } from '../../../app/engine/train/run';
import { Trainer } from '../../../app/engine/train/trainer';
import { patchExperiment, type DeepPartial, type Experiment } from '../../../app/protocol/experiment';
import type { Event } from '../../../app/protocol/messages';
import type { CutBy } from '../../../app/protocol/truncation';
import { goldenCases } from '../../support/golden';
import { maxError, useGpu } from '../../support/gpu';
import { makeRun, smallData, steps, tiny } from './support';

const gpu = useGpu();

let data: RunData;
beforeAll(() => {
  data = smallData(gpu());
});
afterAll(() => {
  data.train.dispose();
  data.test.dispose();
});

const measure = async (run: Run, values: number[], by: CutBy = 'fraction', fresh = true) =>
  (await run.truncation()).measure({ by, values, count: 64, fresh, quiet: () => true });

test('the golden truncations: ranks, parameters and logits, with and without the layers’ biases', async () => {
  const g = gpu();
  const [{ spec, tensors }] = (await goldenCases('truncation')) as [Awaited<ReturnType<typeof goldenCases>>[0]];
  const p = spec.params as Record<string, number> & { fractions: number[] };
  const experiment = tiny({
    model: {
      imageSize: p.image,
      inChannels: p.channels,
      numClasses: p.classes,
      patchSize: p.patch,
      embedDim: p.dim,
      depth: p.depth,
      numHeads: p.heads,
      mlpRatio: p.mlp_ratio,
    },
    method: { name: 'adamw' },
  });
  const run = await Run.create(g, experiment, resolveModel(experiment), defaultMatmulTuning(g.info));
  const images = tensors.get('truncation.images')!.data as Float32Array<ArrayBuffer>;
  const golden = spec as unknown as { ranks: Record<string, number[]>; stored_parameters: Record<string, number> };
  for (const kind of ['logits', 'logits_nobias']) {
    const arena = new Float32Array(run.table.total);
    for (const { name, offset } of run.table.entries)
      if (kind === 'logits' || !/blocks.*(qkv|proj|fc1|fc2)\.bias$/.test(name))
        arena.set(tensors.get(`truncation.param.${name}`)!.data, offset);
    await run.writeParameters(arena);
    const truncation = await run.truncation();
    for (const fraction of p.fractions) {
      const name = `truncation.${kind}.p${fraction}`;
      const logits = await truncation.predict(images, { fraction });
      expect(maxError(logits, tensors.get(name)!.data), name).toBeLessThan(spec.expected[name]!.atol);
      const { ranks } = await truncation.export({ fraction });
      expect(Object.values(ranks)).toEqual(golden.ranks[fraction]);
      const sizes = Object.keys(ranks).map((layer) => (/fc/.test(layer) ? 3 : 2) * p.dim!);
      expect(Object.values(ranks).reduce((sum, r, i) => sum + r * sizes[i]!, 0)).toBe(golden.stored_parameters[fraction]);
    }
  }
  await run.dispose();
});

describe('a run', () => {
  const experiment: Experiment = tiny({ method: { name: 'adamq3r', lambda: 1, targetRank: 0.2 } });

  test('trains bit for bit the same when it is truncated in the middle, and truncation sees the weights of that moment', async () => {
    const g = gpu();
    const plain = await makeRun(g, experiment, data);
    const want = await steps(plain, 1, 14);
    const weights = await plain.readParameters();
    await plain.dispose();
    const run = await makeRun(g, experiment, data);
    const first = await steps(run, 1, 5);
    const early = await measure(run, [0.2, 0.5]);
    expect(early.step).toBe(5);
    await run.ready(6);
    // Asked for between two steps that are in flight: the weights after the sixth.
    const sixth = run.submitStep(6, 1);
    const report = measure(run, [0.2]);
    const rest = await steps(run, 7, 9);
    const middle = await report;
    const last = await steps(run, 10, 14);
    expect([...first, (await sixth).record.loss, ...rest, ...last]).toEqual(want);
    expect(await run.readParameters()).toEqual(weights);
    expect(middle.step).toBeGreaterThanOrEqual(6);
    await run.dispose();
    // A run that stood still at that step says the same; a step changes these losses by a hundred times the tolerance.
    const still = await makeRun(g, experiment, data);
    await steps(still, 1, middle.step);
    const standing = await measure(still, [0.2]);
    for (const key of ['loss', 'accuracy'] as const) {
      expect(Math.abs(middle.full[key] - standing.full[key])).toBeLessThan(2e-5);
      expect(Math.abs(middle.cuts[0]![key] - standing.cuts[0]![key])).toBeLessThan(2e-5);
    }
    expect(Math.abs(standing.full.loss - early.full.loss)).toBeGreaterThan(1e-3);
    await still.dispose();
  });

  test('at a rank that leaves nothing out it is the full model; figures are honest where factors cost more', async () => {
    const run = await makeRun(gpu(), experiment, data);
    await steps(run, 1, 20);
    const { full, cuts, matrices } = await measure(run, [0.1, 0.5, 1, 2]);
    const validation = await run.evaluate(64);
    expect(full).toMatchObject(validation);
    expect(full.parameters).toBe(run.table.count);
    expect(matrices).toHaveLength(12);
    const all = cuts[3]!;
    expect(all.ranks.slice(0, 6)).toEqual([32, 32, 32, 32, 32, 32]);
    // Products in another order differ by rounding: 1e-6 of losses near 2, and twenty times that to be sure.
    expect(Math.abs(all.loss - full.loss)).toBeLessThan(5e-5);
    expect(all.stored).toBeGreaterThan(full.stored);
    expect(all.parameters - full.parameters).toBe(all.stored - full.stored);
    expect(all.flops).toBeGreaterThan(full.flops);
    const [tenth, half, whole] = cuts as [(typeof cuts)[0], (typeof cuts)[0], (typeof cuts)[0]];
    expect(tenth.stored).toBeLessThanOrEqual(0.1 * full.stored);
    expect(half.flops).toBeLessThan(whole.flops);
    expect(whole.stored).toBeLessThanOrEqual(full.stored);
    for (const { milliseconds } of [full, ...cuts]) expect(milliseconds).toBeGreaterThan(0);
    await run.dispose();
  });

  test('by energy each matrix keeps what it needs', async () => {
    const run = await makeRun(gpu(), experiment, data);
    await steps(run, 1, 20);
    const { cuts, full } = await measure(run, [0.5, 0.9, 1], 'energy');
    const spectra = await run.spectra();
    cuts.forEach((cut) => {
      expect(cut.fraction).toBe(cut.stored / full.stored);
      cut.ranks.forEach((r, i) => {
        const squares = Array.from(spectra[i]!.sigma, (s) => s * s);
        const total = squares.reduce((a, b) => a + b, 0);
        const upTo = (n: number) => squares.slice(0, n).reduce((a, b) => a + b, 0) / total;
        // Both decompositions are exact to 2e-5 σ₁.
        expect(upTo(r)).toBeGreaterThan(cut.energy! - 1e-4);
        if (r > 0) expect(upTo(r - 1)).toBeLessThan(cut.energy! + 1e-4);
      });
    });
    await run.dispose();
  });

  test('after the first evaluation only what a recording needs is created, and freed at once; a disposed run leaves nothing', async () => {
    const g = gpu();
    const before = g.buffers.liveBytes;
    const run = await makeRun(g, experiment, data);
    await steps(run, 1, 2);
    const training = g.buffers.liveBytes;
    await measure(run, [0.3]);
    // The plan's figure counts a workspace that a run with Q3R shares, and not the few kilobytes of read-backs.
    const counts = { train: data.train.count, test: data.test.count };
    const { bytes } = planExperiment(experiment, { info: g.info, gflops: 1, counts });
    const taken = g.buffers.liveBytes - training;
    expect(taken).toBeLessThan(1.02 * bytes.truncation);
    expect(taken).toBeGreaterThan(0.6 * bytes.truncation);
    await steps(run, 3, 4);
    const { liveBytes, liveCount, createdCount } = g.buffers;
    await measure(run, [0.2, 0.4, 0.6]);
    expect(g.buffers.createdCount - createdCount).toBe(3);
    expect([g.buffers.liveBytes, g.buffers.liveCount]).toEqual([liveBytes, liveCount]);
    let compiled = 0;
    g.pipelines.onProgress = () => compiled++;
    await measure(run, [0.25, 0.7]);
    g.pipelines.onProgress = undefined;
    expect(compiled).toBe(0);
    await run.dispose();
    expect(g.buffers.liveBytes).toBe(before);
  });

  test('the exported factors multiply to what the truncated model computes', async () => {
    const g = gpu();
    const run = await makeRun(g, experiment, data);
    await steps(run, 1, 10);
    const truncation = await run.truncation();
    const { tensors, ranks, step } = await truncation.export({ fraction: 0.3 });
    expect(step).toBe(10);
    expect(Object.keys(ranks).slice(0, 4)).toEqual(['blocks.0.attn.q', 'blocks.0.attn.k', 'blocks.0.attn.v', 'blocks.0.attn.proj']);
    const arena = await run.readParameters();
    for (const { name, offset, shape } of run.table.entries) {
      const kept = tensors.get(name);
      if (kept) {
        expect(kept.data, name).toEqual(arena.slice(offset, offset + kept.data.length));
        continue;
      }
      const layer = name.replace(/\.weight$/, '');
      const parts = layer.endsWith('qkv') ? ['q', 'k', 'v'].map((part) => layer.replace(/qkv$/, part)) : [layer];
      const rows = shape[0]! / parts.length;
      parts.forEach((part, i) => {
        const a = tensors.get(`${part}.A`)!;
        const b = tensors.get(`${part}.B`)!;
        const [r, cols] = a.shape as [number, number];
        expect([b.shape, r]).toEqual([[rows, r], ranks[part]]);
        for (let o = 0; o < rows; o++)
          for (let c = 0; c < cols; c++) {
            let sum = 0;
            for (let k = 0; k < r; k++) sum += b.data[o * r + k]! * a.data[k * cols + c]!;
            arena[offset + (i * rows + o) * cols + c] = sum;
          }
      });
    }
    const images = new Float32Array(5 * 3 * 32 * 32).map((_, i) => Math.sin(i * 0.37));
    const got = await truncation.predict(images, { fraction: 0.3 });
    const model = new VitModel(g, { config: run.config, batch: 5, tuning: defaultMatmulTuning(g.info), training: false });
    const params = g.upload('params', arena);
    g.write(model.images, images);
    const recorder = new Recorder(g, 'dense');
    model.recordForward(recorder, params);
    const program = await recorder.build();
    program.run();
    // The same products in another order, through two blocks: 1e-6 is seen.
    expect(maxError((await g.readFloats(model.logits)).slice(0, 50), got)).toBeLessThan(2e-5);
    program.dispose();
    model.dispose();
    g.buffers.free(params);
    await run.dispose();
  });

  test('a trainer measures the curve at the end; what is under way when the run ends is called off, and nothing stays', async () => {
    const g = gpu();
    const before = g.buffers.liveBytes;
    const events: Extract<Event, { type: 'truncation' }>[] = [];
    const make = async (patch: DeepPartial<Experiment>) => {
      const run = await makeRun(g, patchExperiment(experiment, patch), data);
      return new Trainer(run, 7, (event) => event.type === 'truncation' && events.push(event));
    };
    const trainer = await make({ train: { steps: 3, evalEvery: 2, evalCount: 16 } });
    trainer.start();
    await vi.waitFor(() => expect(events.at(-1)?.done).toBe(11), { timeout: 60_000 });
    expect(trainer.phase).toBe('finished');
    expect(events.map(({ done }) => done)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(events.every(({ runId, step, total, report }) => runId === 7 && step === 3 && total === 11 && report.full.count === 16)).toBe(
      true,
    );
    // A share between two cuts of a long list, and the end of the run in the middle of it.
    const long = trainer.cutting.truncate({ values: Array.from({ length: 200 }, (_, i) => i / 200), by: 'fraction' });
    const short = await trainer.cutting.truncate({ values: [0.33], by: 'fraction', fresh: false });
    expect(short.cuts[0]).toMatchObject({ step: 3, fraction: 0.33 });
    expect(events.at(-1)!.done).toBeLessThan(200);
    const called = expect(long).rejects.toMatchObject({ name: 'AbortError' });
    await trainer.dispose();
    await called;
    await expect(trainer.run.truncation()).rejects.toMatchObject({ name: 'AbortError' });
    expect(g.buffers.liveBytes).toBe(before);
  });

  test('newer weights end a curve of older ones', async () => {
    const run = await makeRun(gpu(), experiment, data);
    await steps(run, 1, 1);
    const truncation = await run.truncation();
    const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const old = truncation.measure({ by: 'fraction', values, count: 64, fresh: true, quiet: () => true, onCut: begin });
    await begun;
    await steps(run, 2, 2);
    const next = await measure(run, [0.5]);
    const { step, cuts } = await old;
    expect([step, next.step]).toEqual([1, 2]);
    expect(cuts.length).toBeLessThan(8);
    await run.dispose();
  });

  test('truncation of a run without chosen matrices names the setting', async () => {
    const run = await makeRun(gpu(), tiny({ method: { targetModules: [] } }), data);
    await expect(run.truncation()).rejects.toMatchObject({ field: 'method.targetModules' });
    await run.dispose();
  });
});
