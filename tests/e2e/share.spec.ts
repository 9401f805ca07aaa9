import { expect, test } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { expectAccessible } from '../support/accessible';
import { openPlayground } from '../support/playground';
import { watchConsole } from '../support/page';

const TINY = '#v=1&depth=1&embedDim=16&numHeads=2&patchSize=8&batchSize=8&steps=6&warmupSteps=1&evalEvery=3&evalCount=16';

test('a run leaves as link, results, file, code and frame, and its file comes back', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const watch = watchConsole(page);
  await openPlayground(page, TINY);
  await page.evaluate(() => window.q3r.step(6));
  // A run that has ended says what can be done with it.
  const ended = page.getByRole('region', { name: 'The run has finished' });
  await expect(ended).toContainText(/^Finished: \d+\.\d\s% of [\d\s]+ test images/);
  await ended.getByRole('button', { name: 'Share' }).click();
  await expect(page.getByRole('tab', { name: 'With results', selected: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await ended.getByRole('button', { name: 'Cut the tail' }).click();
  await expect(page.getByRole('slider', { name: 'Parameters kept' })).toBeVisible({ timeout: 60_000 });
  await ended.getByRole('button', { name: 'Put away' }).click();
  await expect(ended).toHaveCount(0);
  const open = async (name: RegExp) => {
    await page.getByRole('button', { name: /^Link with results, run file/ }).click();
    await page.getByRole('button', { name }).click();
  };

  await open(/^Run file/);
  const dialog = page.getByRole('dialog', { name: 'Share' });
  const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Save run file' }).click()]);
  const text = readFileSync(await download.path(), 'utf8');

  await dialog.getByRole('tab', { name: 'With results' }).click();
  const field = dialog.getByLabel('Link with results', { exact: true });
  const link = await field.inputValue();
  expect(link.length).toBeLessThanOrEqual(8000);
  await dialog.getByRole('tab', { name: 'With results' }).press('ArrowRight');
  await expect(dialog.getByRole('tab', { name: 'Run file' })).toBeFocused();
  await dialog.getByRole('tab', { name: 'QR code' }).click();
  await expect(dialog.getByRole('img', { name: /^QR code of http/ })).toBeVisible();
  await expectAccessible(page, 'dialog[open]');
  await dialog.getByRole('button', { name: 'Enlarge for the projector' }).click();
  await expect(page.getByRole('dialog', { name: 'QR code' })).toBeVisible();
  await page.keyboard.press('Escape');
  await dialog.getByRole('tab', { name: 'Embed' }).click();
  await expect(dialog.getByLabel('Code to embed')).toHaveValue(
    /^<iframe src="http.*embed=1" width="720" height="540" title="Q3R.*loading="lazy"/,
  );
  await dialog.getByRole('button', { name: 'Close' }).click();

  // The file, and the link, show what the run showed; the run itself waits and comes back.
  const shown = () => page.evaluate(() => window.q3r.history().map((r) => r.loss));
  const losses = await shown();
  await page.evaluate((file) => window.q3r.replay(file), text);
  const strip = page.getByRole('region', { name: 'Recording' });
  await expect(strip).toContainText('Recorded on');
  expect(await shown()).toEqual(losses);
  expect(await page.evaluate(() => window.q3r.step(1).catch((e: Error) => e.name))).toBe('NotReadyError');
  // A recording holds no weights to look into, and says so.
  await page.getByRole('button', { name: 'See the model' }).click();
  await expect(page.getByRole('region', { name: 'See the model' })).toContainText('A recording holds curves and spectra, and no weights');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Back to the spectra' }).click();
  await strip.getByRole('button', { name: 'Close' }).click();
  await expect(strip).toBeHidden();
  await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await expect(strip).toContainText('Results from a link');
  await strip.getByRole('button', { name: 'Run it here' }).click();
  await expect(strip).toBeHidden();
  expect((await page.evaluate(() => window.q3r.step(1))).length).toBe(1);
  watch.expectQuiet();
});
