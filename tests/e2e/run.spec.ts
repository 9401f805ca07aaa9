import { expect, test, type Page } from '@playwright/test';
import { cifarFiles } from '../support/cifarFile';
import { openPlayground } from '../support/playground';
import { watchConsole } from '../support/page';

/** A model small enough for a software adapter. */
const NANO = 'patchSize=8&embedDim=48&numHeads=4&depth=2&batchSize=16&warmupSteps=10&evalCount=64&lr=0.003';

const step = (page: Page) => page.evaluate(() => window.q3r.history().length);

test('a first visit plays at once: one click, then loss and spectra', async ({ page }) => {
  const watch = watchConsole(page);
  await page.goto('./');
  const play = page.getByRole('button', { name: 'Play', exact: true }).first();
  await expect(play).toBeEnabled({ timeout: 60_000 });
  await play.click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => step(page), { timeout: 60_000 }).toBeGreaterThan(3);
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true }).first()).toBeVisible();
  watch.expectQuiet();
});

test('the same model trains on CIFAR-10 and on shapes: its loss falls, and it repeats to the bit, without a new buffer, while settings change', async ({
  page,
}) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&data=cifar10&steps=120&evalEvery=60&${NANO}`);

  await test.step('120 nano steps on CIFAR-10: falling loss, live charts, twelve spectra', async () => {
    const chooser = page.waitForEvent('filechooser');
    await page.getByText('Data', { exact: true }).first().click();
    await page.getByRole('button', { name: 'Choose files' }).click();
    await (await chooser).setFiles(cifarFiles());
    await expect
      .poll(() => page.evaluate(() => window.q3r.memory().then(() => document.body.textContent)), { timeout: 60_000 })
      .toMatch(/5.?000/);
    await page.getByRole('button', { name: 'Play', exact: true }).first().click();
    await expect.poll(() => step(page), { timeout: 150_000 }).toBe(120);
    await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible();
    const { losses, spectra } = await page.evaluate(async () => ({
      losses: window.q3r.history().map((r) => r.loss),
      spectra: (await window.q3r.spectra()).map((s) => ({ name: s.name, count: s.sigma.length, finite: s.sigma.every(Number.isFinite) })),
    }));
    const mean = (part: number[]): number => part.reduce((a, b) => a + b, 0) / part.length;
    expect(mean(losses.slice(-20))).toBeLessThan(mean(losses.slice(0, 20)) - 0.1);
    expect(spectra.length).toBeGreaterThanOrEqual(12);
    expect(spectra.every((s) => s.count > 0 && s.finite)).toBe(true);
    await expect(page.locator('canvas').first()).toBeVisible();
    await expect(page.locator('.recharts-surface').first()).toBeVisible();
  });

  await test.step('after the first step no GPU buffer is created, and steps of another seed differ', async () => {
    await page.evaluate((link) => window.q3r.configure(link), `#v=1&steps=100000&evalEvery=4&augment=basic&${NANO}`);
    const { before, after, same } = await page.evaluate(async () => {
      const { q3r } = window;
      // The first step brings everything: data, validation, snapshots, display.
      await q3r.step(1);
      const one = q3r.history()[0]!.loss;
      const before = await q3r.memory();
      await q3r.step(12);
      const after = await q3r.memory();
      await q3r.configure({ train: { seed: 77 } });
      await q3r.step(1);
      return { before, after, same: q3r.history()[0]!.loss === one };
    });
    expect(after.createdBuffers).toBe(before.createdBuffers);
    expect(after.liveBytes).toBe(before.liveBytes);
    expect(same).toBe(false);
  });

  await test.step('two identical runs give identical losses; pausing, stepping and watching change nothing', async () => {
    const [straight, broken] = await page.evaluate(async () => {
      const { q3r } = window;
      const losses = (): number[] => q3r.history().map((r) => r.loss);
      await q3r.reset();
      await q3r.step(14);
      const first = losses();
      await q3r.reset();
      await q3r.step(3);
      await q3r.spectra();
      await q3r.start();
      while (q3r.history().length < 6) await new Promise((resolve) => setTimeout(resolve, 20));
      await q3r.pause();
      await q3r.evaluate();
      await q3r.step(14 - q3r.history().length > 0 ? 14 - q3r.history().length : 1);
      return [first, losses().slice(0, 14)];
    });
    expect(straight).toHaveLength(14);
    expect(broken).toEqual(straight);
  });

  await test.step('λ changes live and leaves a mark; another width asks first', async () => {
    await page.evaluate(() => window.q3r.start());
    await expect.poll(() => step(page), { timeout: 60_000 }).toBeGreaterThan(1);
    await page.evaluate(() => window.q3r.configure({ method: { lambda: 4 } }));
    const at = await step(page);
    await expect.poll(() => step(page)).toBeGreaterThan(at);
    expect(await page.evaluate(() => window.q3r.history().length)).toBeGreaterThan(at);
    await page.getByText('Model', { exact: true }).first().click();
    const depth = page.getByRole('textbox', { name: /Blocks/ });
    await depth.fill('3');
    await depth.press('Enter');
    await expect(page.getByRole('dialog')).toContainText('new run from step 0');
    await page.getByRole('button', { name: 'Keep running' }).click();
    expect(await step(page)).toBeGreaterThan(at);
  });
  watch.expectQuiet();
});
