import { expect, test, type Page } from '@playwright/test';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expectAccessible } from '../support/accessible';

const NANO = '#v=1&patchSize=8&embedDim=32&numHeads=2&depth=1&batchSize=16&warmupSteps=4&evalCount=32&evalEvery=0&steps=400';
const SW = resolve('dist/sw.js');

/** Opens the page, which keeps itself when asked to, and waits until it is kept. */
async function visit(page: Page): Promise<void> {
  await page.goto(`./?offline${NANO}`);
  await page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === 'activated', undefined, {
    timeout: 60_000,
  });
}

test('after one visit the page opens and trains without a network, views on demand included', async ({ page, context }) => {
  await visit(page);
  await context.setOffline(true);
  // The worker's own requests are not the page's: a server that answers nothing proves that nothing is asked of it.
  const asked: string[] = [];
  page.on('response', (response) => {
    if (!response.fromServiceWorker() && /^https?:/.test(response.url())) asked.push(response.url());
  });
  await page.reload();
  await expect(page).toHaveTitle(/Q3R/);
  await page.getByRole('button', { name: 'Play', exact: true }).first().click({ timeout: 60_000 });
  await page.waitForFunction(() => (window.q3r.history()[0]?.loss ?? 0) > 0, undefined, { timeout: 120_000 });
  await page.getByRole('button', { name: 'See the model' }).click();
  await expect(page.getByRole('list', { name: 'Test images' })).toBeVisible({ timeout: 60_000 });
  expect(asked).toEqual([]);
});

test('a newer version is announced and taken when the visitor says so; the run is kept over the reload', async ({ page }) => {
  await visit(page);
  await page.getByRole('button', { name: 'Play', exact: true }).first().click({ timeout: 60_000 });
  await page.waitForFunction(() => window.q3r.history().length >= 3, undefined, { timeout: 120_000 });
  const before = readFileSync(SW, 'utf8');
  let loads = 0;
  page.on('load', () => loads++);
  try {
    writeFileSync(SW, `${before}\n// another version\n`);
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    const note = page.getByRole('status').filter({ hasText: 'Update ready' });
    await expect(note).toContainText('The run is paused and kept first');
    expect(loads).toBe(0);
    await expectAccessible(page, '.notices');
    await note.getByRole('button', { name: 'Reload' }).click();
    await expect.poll(() => loads, { timeout: 30_000 }).toBe(1);
    const offer = page.getByRole('region', { name: 'A run of an earlier visit' });
    await expect(offer).toBeVisible({ timeout: 60_000 });
    expect(Number((await offer.innerText()).match(/step (\d+)/)![1])).toBeGreaterThanOrEqual(3);
    await expect(page.getByRole('status').filter({ hasText: 'Update ready' })).toHaveCount(0);
  } finally {
    // Not before: the page looks for yet another version when it opens.
    writeFileSync(SW, before);
  }
});
