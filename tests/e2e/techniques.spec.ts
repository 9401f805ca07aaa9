import { expect, test } from '@playwright/test';
import { watchConsole } from '../support/page';
import { NOTHING_AHEAD, openPlayground } from '../support/playground';

test('every technique trains through the page, with slices and ranks of single matrices, and its weights leave in timm’s layout', async ({
  page,
}) => {
  const watch = watchConsole(page);
  await openPlayground(page, NOTHING_AHEAD);
  const overrides = 'blocks.0.mlp.fc1.weight:r3*0.5,blocks.0.attn.qkv.weight(0-16):r4,blocks.0.mlp.fc2.weight:off';
  const results = await page.evaluate(async (text) => {
    const { q3r, golden } = window;
    const out: { name: string; losses: number[]; matrices: string[]; tensors: number; created: number; link: boolean }[] = [];
    for (const name of ['adamw', 'adamq3r', 'q3r', 'hoyer', 'hoyerSquare', 'lora', 'lorita', 'loritaQ3r', 'loritaAdamq3r'] as const) {
      await q3r.configure({
        dataset: 'shapes',
        model: { embedDim: 16, depth: 1, numHeads: 2, mlpRatio: 2, patchSize: 16 },
        train: { batchSize: 8, steps: 100, warmupSteps: 0, evalCount: 8, evalEvery: 0 },
        method: { name, lambda: 0.01, reweightEvery: 2, loritaDepth: 3, overrides: text as never },
      });
      await q3r.step(2);
      const { createdBuffers } = await q3r.memory();
      await q3r.step(3);
      const losses = q3r.history().map((r) => r.loss);
      const matrices = (await q3r.spectra()).map((m) => m.name);
      const created = (await q3r.memory()).createdBuffers - createdBuffers;
      const file = await q3r.exportWeights();
      const tensors = golden.parse(file.buffer as ArrayBuffer);
      // A link brings the same experiment back, and a factorized run takes the weights that it gave.
      const before = JSON.stringify(await q3r.configure({}));
      const link = JSON.stringify(await q3r.configure(q3r.shareUrl())) === before;
      await q3r.importWeights(file);
      out.push({ name, losses, matrices, tensors: Object.keys(tensors).length, created, link });
    }
    return out;
  }, overrides);
  for (const { name, losses, matrices, tensors, created, link } of results) {
    expect(losses, name).toHaveLength(5);
    expect(
      losses.every((loss) => loss > 0 && loss < 5),
      name,
    ).toBe(true);
    expect(matrices, name).toContain('blocks.0.attn.qkv.weight(0-16)');
    // 4 of the embedding, 12 of a block, 2 of the last norm, 2 of the head.
    expect(tensors, name).toBe(20);
    expect(created, name).toBe(0);
    expect(link, name).toBe(true);
  }
  watch.expectQuiet();
});
