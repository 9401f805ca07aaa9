import { expect, test, type Download, type Locator, type Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import { readFileSync } from 'node:fs';
import { expectAccessible } from '../support/accessible';
import { openPlayground } from '../support/playground';
import { watchConsole } from '../support/page';

/** A model small enough for a software adapter. */
const NANO = 'patchSize=8&embedDim=24&numHeads=2&depth=1&batchSize=8&warmupSteps=2&evalCount=32&lr=0.003';

const slider = (page: Page) => page.getByRole('slider', { name: 'Look back at the spectra of step' });
const ends = (page: Page): Locator => page.locator('.chart-ticks span').last();
const steps = (page: Page, n: number) => page.evaluate((count) => window.q3r.step(count), n);

async function saved(page: Page, menu: string, item: string | RegExp): Promise<{ name: string; bytes: Buffer }> {
  await page.getByRole('button', { name: menu }).click();
  const coming: Promise<Download> = page.waitForEvent('download');
  await page.getByRole('button', { name: item }).click();
  const file = await coming;
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}
const lines = (bytes: Buffer): string[] => bytes.toString('utf8').trimEnd().split('\r\n');

test('curves of two runs: axes, zoom, looking back, playing, and files of all of it', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&steps=24&evalEvery=8&${NANO}`);
  // A dense run stays as the baseline of the one after it.
  await page.evaluate(() => window.q3r.configure({ method: { name: 'adamw' } }));
  await steps(page, 8);
  await page.evaluate(() => window.q3r.configure({ method: { name: 'adamq3r', lambda: 1 } }));
  for (let i = 0; i < 6; i++) await steps(page, 4);
  await expect(page.locator('.chart-slot .chart-other')).toHaveCount(2, { timeout: 30_000 });

  await test.step('the axis counts steps, epochs, images or time, and may be logarithmic', async () => {
    await expect(ends(page)).toHaveText('step 24');
    const axis = page.getByLabel('Horizontal axis', { exact: true });
    await axis.selectOption('images');
    await expect(ends(page)).toHaveText('192 images');
    await axis.selectOption('epoch');
    await expect(ends(page)).toHaveText(/^epoch 0\.\d+$/);
    await axis.selectOption('seconds');
    await expect(ends(page)).toHaveText(/\d s$|\d:\d\d$/);
    await axis.selectOption('step');
    const first = page.locator('.chart-slot').first().locator('path.recharts-line-curve').last();
    // Drawn anew a turn after the choice: by steps the points stand evenly.
    const unevenness = async () => {
      const xs = [...(await first.getAttribute('d'))!.matchAll(/[ML]([\d.]+),/g)].map(([, x]) => Number(x));
      const gaps = xs.slice(1).map((x, i) => x - xs[i]!);
      return Math.max(...gaps) - Math.min(...gaps);
    };
    await expect.poll(unevenness).toBeLessThan(0.1);
    const before = await first.getAttribute('d');
    await page.getByRole('button', { name: 'Horizontal axis logarithmic' }).click();
    await expect(first).not.toHaveAttribute('d', before!);
    await page.getByRole('button', { name: 'Horizontal axis logarithmic' }).click();
    await expect(first).toHaveAttribute('d', before!);
  });

  await test.step('dragging zooms all charts; Escape and the keys lead back', async () => {
    const box = (await page.locator('.chart-stack').boundingBox())!;
    const at = (share: number) => box.x + 36 + (box.width - 36) * share;
    await page.mouse.move(at(0.25), box.y + 30);
    await page.mouse.down();
    await page.mouse.move(at(0.75), box.y + 40, { steps: 3 });
    await expect(page.locator('.chart-select')).toBeVisible();
    await page.mouse.up();
    await expect(ends(page)).toHaveText('step 18');
    await page.keyboard.press('Escape');
    await expect(ends(page)).toHaveText('step 24');
    await page.mouse.move(5, 5);
    await page.getByRole('slider', { name: 'Look at step' }).focus();
    await page.keyboard.press('+');
    await expect(page.getByRole('button', { name: 'Reset zoom' })).toBeVisible();
    await page.keyboard.press('0');
    await expect(page.getByRole('button', { name: 'Reset zoom' })).toHaveCount(0);
  });

  await test.step('wall, inspector and figures look back where the scrubber stands', async () => {
    const rank = page.locator('.chart-figures').first();
    const now = await rank.textContent();
    await slider(page).focus();
    await page.keyboard.press('Home');
    await expect(slider(page)).toHaveAttribute('aria-valuetext', /^step [1-4] of 24$/);
    await expect(page.locator('.chart-wall .chart-step')).toHaveText(/^step [1-4]$/);
    await expect(rank).not.toHaveText(now!);
    await page.keyboard.press('ArrowRight');
    await expect(slider(page)).toHaveAttribute('aria-valuetext', /^step [2-8] of 24$/);
    await page.getByRole('button', { name: 'Newest' }).click();
    await expect(rank).toHaveText(now!);
    await expect(page.locator('.chart-wall .chart-step')).toHaveCount(0);
    // The playback goes from the start to the end, and stays there.
    await page.getByRole('button', { name: 'Play the spectra back' }).click();
    await expect(page.locator('.chart-wall .chart-step')).toHaveText(/^step \d+$/);
    await expect(page.getByRole('button', { name: 'Newest' })).toHaveAttribute('aria-pressed', 'true', { timeout: 15_000 });
    await page.getByRole('button', { name: 'Over time' }).click();
    await page.locator('.chart-heat').hover({ position: { x: 120, y: 60 } });
    await expect(page.locator('.chart-heat-cursor')).toBeVisible();
    await expect(page.locator('.chart-runs .chart-step')).toHaveText(/^step \d+$/);
  });

  await test.step('pictures and data are saved, named after run and step', async () => {
    const csv = await saved(page, 'Save charts and data', 'Loss as CSV');
    expect(csv.name).toMatch(/adamq3r-step-24-loss\.csv$/);
    const [head, ...rows] = lines(csv.bytes);
    expect(head).toMatch(/^run,step,epoch,images,seconds,training loss/);
    expect(rows.filter((row) => row.startsWith('AdamQ3R,'))).toHaveLength(24);
    const losses = await page.evaluate(() => window.q3r.history().map((r) => r.loss));
    rows.slice(0, 24).forEach((row, i) => expect(Number(row.split(',')[5])).toBeCloseTo(losses[i]!, 5));

    const svg = (await saved(page, 'Save the wall', 'Spectrum wall as SVG')).bytes.toString('utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toMatch(/var\(|NaN|undefined/);
    const parsed = await page.evaluate((text) => {
      const root = new DOMParser().parseFromString(text, 'image/svg+xml');
      return { bad: root.querySelector('parsererror') !== null, paths: root.querySelectorAll('path').length };
    }, svg);
    expect(parsed.bad).toBe(false);
    expect(parsed.paths).toBeGreaterThan(5);

    const png = (await saved(page, 'Save this matrix', 'Spectrum over time as PNG')).bytes;
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1440, 960]);

    const zip = await saved(page, 'Save charts and data', /All data/);
    expect(zip.name).toMatch(/adamq3r-step-24\.zip$/);
    const files = Object.entries(unzipSync(new Uint8Array(zip.bytes)));
    expect(files.map(([name]) => name.split('-step-').at(-1))).toEqual(expect.arrayContaining(['24-lr.csv', '24-spectra.csv']));
    expect(files.every(([, bytes]) => bytes.length > 100)).toBe(true);
  });

  await test.step('no accessibility violation in either theme', async () => {
    await expectAccessible(page);
  });
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  watch.expectQuiet();
});
