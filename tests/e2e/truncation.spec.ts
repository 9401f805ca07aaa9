import { expect, test } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';
import { openPlayground } from '../support/playground';

test('a visitor trains, measures the curve, drags the slider and saves the factors', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(
    page,
    '#v=1&patchSize=8&embedDim=32&numHeads=2&depth=2&batchSize=16&warmupSteps=4&evalCount=128&evalEvery=0&steps=400',
  );
  const panel = page.getByRole('region', { name: 'Cut the tail' });
  await expect(panel.getByRole('button', { name: 'Measure' })).toBeDisabled();
  await page.evaluate(() => window.q3r.step(20));
  const weights = await page.evaluate(async () => Array.from((await window.q3r.exportWeights()).slice(-4000)));
  await panel.getByRole('button', { name: 'Measure' }).click();
  const accuracy = panel.locator('.chart-cut-result b').first();
  await expect(accuracy).toHaveText(/^\d+\.\d\u2009%$/, { timeout: 60_000 });
  await expect(panel.locator('.recharts-line-curve')).toHaveCount(1, { timeout: 40_000 });
  await expect(panel.getByRole('status')).toHaveCount(0, { timeout: 60_000 });

  // By the pointer: from 20 % to half way, through whatever lies between.
  const slider = panel.getByRole('slider', { name: 'Parameters kept' });
  await slider.scrollIntoViewIfNeeded();
  const box = (await slider.boundingBox())!;
  await page.mouse.move(box.x + 0.2 * box.width, box.y + box.height / 2);
  await page.mouse.down();
  for (let i = 1; i <= 6; i++) await page.mouse.move(box.x + (0.2 + 0.05 * i) * box.width, box.y + box.height / 2);
  await page.mouse.up();
  await expect(slider).toHaveAttribute('aria-valuetext', /^(49|50|51)\u2009% of the parameters$/);
  // The exact figures arrive; then there are ranks, too.
  await expect(panel.locator('.chart-figures div', { hasText: 'Ranks' }).locator('dd')).toHaveText(/\d/, { timeout: 30_000 });
  await expect(panel.locator('[aria-busy=true]')).toHaveCount(0);
  await expect(panel.locator('[data-about]')).toHaveCount(0);

  // By energy and by the keyboard.
  await panel.getByRole('button', { name: 'Energy' }).click();
  await expect(panel.getByText('How much of the accuracy')).toBeVisible();
  await panel.getByRole('button', { name: 'Measure' }).click();
  const energy = panel.getByRole('slider', { name: 'Energy kept' });
  await expect(energy).toBeVisible({ timeout: 60_000 });
  await energy.press('ArrowLeft');
  await expect(energy).toHaveAttribute('aria-valuetext', '94.5\u2009% of the energy');

  await panel.getByRole('button', { name: 'Parameters' }).click();
  const download = page.waitForEvent('download');
  await panel.getByRole('button', { name: 'Save factors' }).click();
  const file = await (await download).path();
  const tensors = await page.evaluate(
    (bytes) => {
      const parsed = window.golden.parse(Uint8Array.from(bytes).buffer);
      return Object.fromEntries(Object.entries(parsed).map(([name, { shape }]) => [name, shape]));
    },
    Array.from(readFileSync(file)),
  );
  const [rank, inputs] = tensors['blocks.0.attn.q.A']!;
  expect(inputs).toBe(32);
  expect(rank).toBeGreaterThanOrEqual(7);
  expect(tensors['blocks.1.mlp.fc1.B']![0]).toBe(64);
  expect(tensors).not.toHaveProperty(['blocks.0.attn.qkv.weight']);
  expect(tensors['blocks.0.attn.qkv.bias']).toEqual([96]);

  // The run itself has not been touched.
  expect(await page.evaluate(async () => Array.from((await window.q3r.exportWeights()).slice(-4000)))).toEqual(weights);
  await expectAccessible(page, '.chart-cut');
  watch.expectQuiet();
});
