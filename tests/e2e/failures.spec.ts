import { expect, test, type Page } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { NOTHING_AHEAD, openPlayground } from '../support/playground';

const NANO = '#v=1&steps=100000&patchSize=8&embedDim=32&numHeads=4&depth=1&batchSize=8&warmupSteps=0&evalEvery=0';
const step = (page: Page) => page.evaluate(() => window.q3r.history().length);

test('what fails is told with what helps, and the way on works', async ({ page }) => {
  await openPlayground(page, NOTHING_AHEAD);

  await test.step('a model that does not fit is refused with the reason and the nearest that does', async () => {
    await expect(page.getByText(/takes|would take/).first()).toBeVisible();
    await expect(page.getByRole('button', { name: 'Play', exact: true }).first()).toBeDisabled();
    await expectAccessible(page, undefined, ['light']);
    await page.getByRole('button', { name: /Use/ }).first().click();
    await expect(page.getByRole('button', { name: 'Play', exact: true }).first()).toBeEnabled();
  });

  await page.evaluate((link) => window.q3r.configure(link), NANO);
  await test.step('a full disk is said, and the data stay in use', async () => {
    await page.evaluate(() => window.q3r.provoke('storage-quota'));
    await expect(page.getByText(/no room left/)).toBeVisible();
  });

  await test.step('a crashed worker is replaced on one click', async () => {
    await page.evaluate(() => window.q3r.step(1));
    await page.evaluate(() => window.q3r.provoke('worker-crash').catch(() => undefined));
    await expect(page.locator('[data-fault="worker-crash"]')).toBeVisible();
    await expectAccessible(page, undefined, ['light']);
    await page.getByRole('button', { name: /Start again/ }).click();
  });

  await test.step('a lost device is opened again, and the run goes on from its snapshot', async () => {
    await expect.poll(() => step(page), { timeout: 60_000 }).toBeGreaterThan(3);
    const losses = await page.evaluate(() => window.q3r.history().map((r) => r.loss));
    await page.evaluate(() => window.q3r.provoke('device-lost'));
    // More steps than there were: it runs again.
    await expect.poll(() => step(page), { timeout: 60_000 }).toBeGreaterThan(losses.length + 3);
    const again = await page.evaluate(() => window.q3r.history().map((r) => r.loss));
    expect(again.slice(0, losses.length)).toEqual(losses);
    await expect(page.getByText(/The GPU was lost and is back/)).toBeVisible();
    await page.evaluate(() => window.q3r.pause());
  });

  await test.step('a loss that is no number stops the run, names the first bad tensor, and the way back works', async () => {
    await page.evaluate((link) => window.q3r.configure(link), `${NANO}&lr=0.001&lrSchedule=constant&gradClip=0`);
    await page.evaluate(() => window.q3r.step(3));
    // The pull of Q3R multiplies the tail by 1 − 2λ·lr: −9 per step grows without end, 0 at a tenth of the rate is stable.
    await page.evaluate(() => window.q3r.configure({ train: { lr: 1 }, method: { lambda: 5 } }));
    await page.evaluate(() => window.q3r.start());
    const heading = page.getByRole('heading', { name: /stopped being a number at step/ });
    await expect(heading).toBeVisible({ timeout: 90_000 });
    await expect(page.getByText('First bad tensor:')).toBeVisible();
    await expectAccessible(page);
    const back = page.getByRole('button', { name: /Back to step \d+ at lr 0\.1/ });
    const at = Number(/step (\d+)/.exec((await back.textContent())!)![1]);
    await back.click();
    await expect(heading).toBeHidden();
    await expect.poll(() => step(page), { timeout: 60_000 }).toBeGreaterThan(at + 2);
    await page.evaluate(() => window.q3r.pause());
  });

  await test.step('out of memory says what did not fit and offers a way on', async () => {
    await page.evaluate(() => window.q3r.provoke('out-of-memory'));
    const error = await page.evaluate(async () => {
      await window.q3r.configure({ model: { embedDim: 128, depth: 2 } });
      return window.q3r.step(1).then(
        () => '',
        (e: Error) => e.message,
      );
    });
    expect(error).toMatch(/no .* MiB left for/);
    await expect(page.locator('[data-fault="out-of-memory"]')).toBeVisible();
    await expectAccessible(page, undefined, ['light']);
  });
});
