import { expect, test, type Page } from '@playwright/test';
import { watchConsole } from '../support/page';
import { openPlayground } from '../support/playground';

const NANO = 'patchSize=8&embedDim=32&numHeads=4&depth=1&batchSize=8&warmupSteps=5&evalEvery=10&evalCount=32&augment=basic';
const losses = (page: Page) => page.evaluate(() => window.q3r.history().map((r) => r.loss));
/** The newest kept state, once it is of that step. */
async function keptAt(page: Page, step: number): Promise<string> {
  await expect.poll(() => page.evaluate(async () => (await window.q3r.checkpoints())[0]?.step), { timeout: 30_000 }).toBe(step);
  return page.evaluate(async () => (await window.q3r.checkpoints())[0]!.key);
}

test('40 steps straight are 20, a reload and 20 more, bit for bit; the page offers the run again', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&steps=200&svd=randomized&${NANO}`);
  await page.evaluate(() => window.q3r.step(40));
  const straight = await losses(page);
  await page.evaluate(() => window.q3r.reset());
  await page.evaluate(() => window.q3r.step(10));
  await page.evaluate(() => window.q3r.configure({ train: { evalCount: 48 } }));
  await page.evaluate(() => window.q3r.step(10));
  await keptAt(page, 20);

  // Another link than the run's: the kept run brings its own settings.
  await page.goto('about:blank');
  await openPlayground(page, '#v=1&patchSize=16');
  const offer = page.getByRole('region', { name: 'A run of an earlier visit' });
  await expect(offer).toContainText(/Run of AdamQ3R, .* on Shapes stopped at step 20, just now/);
  await offer.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('The run is back at step 20.')).toBeVisible({ timeout: 60_000 });
  await expect(offer).toBeHidden();
  await expect(page.getByTestId('step')).toHaveText('20');
  expect(await losses(page)).toEqual(straight.slice(0, 20));
  expect(await page.evaluate(() => window.q3r.shareUrl())).toContain('patchSize=8');
  await page.evaluate(() => window.q3r.step(20));
  expect(await losses(page)).toEqual(straight);
  watch.expectQuiet();
});
