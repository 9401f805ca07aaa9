import { expect, test } from 'vitest';
import type { Gpu } from '../../../app/engine/gpu/device';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { attentionShape, stepProducts, type VitPlan, type VitTuning } from '../../../app/engine/model/memory';
import type { VitConfig } from '../../../app/engine/model/parameters';
import { VitModel } from '../../../app/engine/model/vit';
import { attentionCuts, attentionKey } from '../../../app/engine/ops/attention';
import { defaultMatmulTuning, matmulShapeKey } from '../../../app/engine/ops/matmul';
import { heaviest } from '../../../app/engine/ops/tuneShapes';
import { tuningFor } from '../../../app/engine/train/tuning';
import { useGpu } from '../../support/gpu';

const gpu = useGpu();
const config: VitConfig = { imageSize: 4, inChannels: 1, numClasses: 4, patchSize: 2, embedDim: 4, depth: 1, numHeads: 1, mlpRatio: 1 };
const plan: VitPlan = { config, batch: 2, training: true };

/** This device under another name, as a graphics card: the choices made for it are its own. */
const card = (name: string, o: Partial<Gpu> = {}): Gpu => {
  const info = { ...gpu().info, software: false, description: name };
  const own = Object.entries({ info, ...o }).map(([key, value]) => [key, { value }]);
  return Object.create(gpu(), Object.fromEntries(own) as PropertyDescriptorMap) as Gpu;
};
const keyOf = (description: string) => ['test', gpu().info.vendor, gpu().info.architecture, gpu().info.device, description].join('|');

async function file(): Promise<FileSystemFileHandle> {
  return (await navigator.storage.getDirectory()).getFileHandle('tuning.json', { create: true });
}
async function store(content: unknown): Promise<void> {
  const stream = await (await file()).createWritable();
  await stream.write(JSON.stringify(content));
  await stream.close();
}

test('a graphics card is measured once for the products and the attention of a plan, and its choices are what the model records', async () => {
  const g = gpu();
  const general = { ...defaultMatmulTuning(g.info), gflops: 1 };
  expect(await tuningFor(g, general, plan)).toBe(general);

  await store({ [keyOf('card A')]: general });
  const begun: VitTuning = await tuningFor(card('card A'), general, plan, { candidates: ['r4x4'], budgetMs: 60_000 });
  expect(g.buffers.liveBytes).toBe(0);
  const keys = heaviest(stepProducts(plan).map(({ shape }) => shape)).map(matmulShapeKey);
  expect(Object.keys(begun.shapes!)).toEqual(keys);
  const attention = attentionKey(attentionShape(plan, 0));
  expect(Object.keys(begun.attention!)).toEqual([attention]);
  expect(['two', 'one36']).toContain(begun.attention![attention]);
  // Nothing is measured again, neither in this page nor, by what is stored, in another: there is no time for it.
  expect(await tuningFor(card('card A'), general, plan, { budgetMs: 0 })).toEqual(begun);
  const stored = JSON.parse(await (await (await file()).getFile()).text()) as Record<string, unknown>;
  const other = { ...begun, attention: { [attention]: 'one36', 'of another plan': 'two' } };
  expect(stored[keyOf('card A')]).toEqual(begun);
  await store({ [keyOf('card B')]: other });
  const read = await tuningFor(card('card B'), general, plan, { budgetMs: 0 });
  expect(read).toEqual({ ...begun, attention: { [attention]: 'one36' } });
  await (await navigator.storage.getDirectory()).removeEntry('tuning.json');
  expect(await tuningFor(card('card A'), general, plan, { budgetMs: 0 })).toEqual(begun);

  const dispatches = (cut: 'two' | 'one36'): number => {
    const model = new VitModel(g, { ...plan, tuning: { ...general, attention: { [attention]: cut } } });
    const arena = g.buffers.allocate('arena', model.table.total * 4);
    const recorder = new Recorder(g, 'backward');
    model.recordBackward(recorder, arena, arena);
    model.dispose();
    g.buffers.free(arena);
    return recorder.length;
  };
  expect(dispatches('two') - dispatches('one36')).toBe(1);
});

test('a driver that compiles slowly does not hold a run up: what is late is not chosen, and freed when it comes', async () => {
  const g = gpu();
  const slow = Object.create(g.pipelines, {
    get: {
      value: async (...args: Parameters<typeof g.pipelines.get>) => {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        return g.pipelines.get(...args);
      },
    },
  }) as typeof g.pipelines;
  const general = defaultMatmulTuning(g.info);
  const begun = performance.now();
  const tuning = await tuningFor(card('card C', { pipelines: slow }), general, plan, { candidates: ['r4x4'], budgetMs: 100 });
  expect(performance.now() - begun).toBeLessThan(900);
  expect(tuning).toEqual({ ...general, shapes: {}, attention: {} });
  await expect.poll(() => g.buffers.liveBytes, { timeout: 5000 }).toBe(0);
});

test('attention is cut as the device and its tokens allow', () => {
  const small = { ...gpu().info, maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 16384 };
  const large = { ...small, maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 32768 };
  const of = (tokens: number, queries = tokens) => ({ batch: 2, tokens, queries, heads: 1, headSize: 64 });
  expect(attentionCuts(of(65), false, small)).toEqual(['two', 'one36']);
  expect(attentionCuts(of(65), false, large)).toEqual(['two', 'one36', 'one68']);
  expect(attentionCuts(of(17), false, large)).toEqual(['two', 'one36']);
  expect(attentionCuts(of(69), false, large)).toEqual(['two']);
});
