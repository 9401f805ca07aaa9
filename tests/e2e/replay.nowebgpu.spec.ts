import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';

const RUN = readFileSync('tests/fixtures/run.json', 'utf8');
/** A link with the results of the same run; the settings are in front. */
const LINK = readFileSync('tests/fixtures/results.txt', 'utf8').trim();

async function serveRecordings(page: Page): Promise<void> {
  await page.route('**/runs/index.json', (route) => route.fulfill({ json: [{ file: 'nano.json', name: 'AdamQ3R', label: 'AdamQ3R' }] }));
  await page.route('**/runs/nano.json', (route) => route.fulfill({ body: RUN, contentType: 'application/json' }));
}
const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

for (const [what, size] of [
  ['a desktop', { width: 1440, height: 900 }],
  ['a phone', { width: 360, height: 740 }],
] as const)
  test(`a recording opens from a link without WebGPU on ${what}`, async ({ page }) => {
    await page.setViewportSize(size);
    const watch = watchConsole(page);
    await serveRecordings(page);
    await page.goto('./#replay=nano');
    const strip = page.getByRole('region', { name: 'Recording' });
    await expect(strip).toContainText('Recorded on SwiftShader (software), 25 Nov 2026');
    await expect(strip.getByRole('button', { name: 'Run it here' })).toBeDisabled();
    await expect(strip).toContainText('Not on this device');
    await expect(page.getByTestId('step')).toHaveText('60');
    await expect(page.getByRole('button', { name: 'Play recording' })).toBeEnabled();
    expect(await sideways(page)).toBeLessThanOrEqual(0);
    await expectAccessible(page);
    await strip.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByRole('heading', { name: 'This browser cannot reach the GPU yet' })).toBeVisible();
    expect(new URL(page.url()).hash).toBe('');
    watch.expectQuiet([/No available adapters/]);
  });

test('the results of a link open without WebGPU; a damaged one is named', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`./${LINK}`);
  const strip = page.getByRole('region', { name: 'Recording' });
  await expect(strip).toContainText('Results from a link: SwiftShader (software), 25 Nov 2026');
  await expect(strip).toContainText('60 points of the curves, and the last spectra');
  await page.goto('about:blank');
  await page.goto(`./${LINK.slice(0, -40)}`);
  await expect(page.getByRole('alert').filter({ hasText: 'damaged' })).toBeVisible();
  await expect(strip).toBeHidden();
});

test('a recording in a frame; one that is not there is named', async ({ page }) => {
  await serveRecordings(page);
  await page.goto('./#replay=nano&embed=1');
  await expect(page.getByRole('link', { name: 'Open in a new tab' })).toHaveAttribute('href', /#replay=nano$/);
  await expect(page.getByRole('region', { name: 'Experiment' })).toHaveCount(0);
  await expectAccessible(page);
  await page.goto('about:blank');
  await page.goto('./#replay=none');
  await expect(page.getByText('This page has no recording "none"; it has nano.')).toBeVisible();
});

test('the cut of a recording goes from one measured point to the next', async ({ page }) => {
  await serveRecordings(page);
  await page.goto('./#replay=nano');
  const slider = page.getByRole('slider', { name: 'Parameters kept' });
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuetext', /^30/);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(slider).toHaveAttribute('aria-valuetext', /^15/);
});
