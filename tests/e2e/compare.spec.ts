import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { expectAccessible } from '../support/accessible';
import { openPlayground } from '../support/playground';
import { watchConsole } from '../support/page';

/** A model of one block: both sides and a grid fit into seconds of a software adapter. */
const ONE_BLOCK = 'patchSize=8&embedDim=32&numHeads=2&depth=1&batchSize=8&warmupSteps=4&lr=0.003&evalCount=32';

const pairStep = async (page: Page): Promise<number> => Number((await page.getByTestId('pair-step').textContent())!.replace(/\D/g, ''));
const sideways = (page: Page) => page.evaluate(() => document.querySelector('.app')!.scrollWidth - innerWidth);

test('A and B with λ 0 on both coincide to the bit, and part after λ changes on one', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&${ONE_BLOCK}&lambda=0&steps=400&evalEvery=0`);
  await page.getByRole('button', { name: 'Compare' }).click();
  // The counterpart of λ 0 has a λ; here both shall be the same.
  await page.getByRole('textbox', { name: 'λ, B' }).fill('0');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('Nothing: the two are the same experiment.')).toBeVisible();
  await page.getByRole('button', { name: 'One step' }).click();
  await expect(page.getByTestId('pair-step')).toHaveText('1', { timeout: 90_000 });
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(() => pairStep(page), { timeout: 60_000 }).toBeGreaterThan(8);
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  const equal = await pairStep(page);
  await expect(page.getByTestId('coincide')).toHaveText(`all ${equal} steps`);

  // λ of B alone, and on: the step before which the runs were one is found and marked.
  await page.getByRole('textbox', { name: 'λ, B' }).fill('20');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('button', { name: 'What B runs' })).toHaveText('The settings with λ 20');
  await expect(page.getByRole('button', { name: 'What A runs' })).toHaveText('The settings');
  await expect(page.getByText(`from step ${equal}`)).toBeVisible();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect(page.getByTestId('coincide')).toHaveText(/^until step \d+$/, { timeout: 60_000 });
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  const parted = Number((await page.getByTestId('coincide').textContent())!.replace(/\D/g, ''));
  expect(parted).toBeGreaterThanOrEqual(equal);
  expect(parted).toBeLessThanOrEqual(equal + 6);
  await expect(page.locator('.plot-event.strong text')).toHaveText(new RegExp(`they part, step ${parted}`));

  // The exact losses say the same.
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const [head, ...rows] = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const [a, b] = [head!.indexOf('loss A'), head!.indexOf('loss B')];
  expect(rows.findIndex((row) => row[a] !== row[b])).toBe(parted);

  // Both go on in a link, which opens them here again.
  await page.getByRole('button', { name: 'Share' }).click();
  const share = page.getByRole('dialog', { name: 'Share A and B' });
  const link = await share.getByRole('textbox', { name: 'Link to A and B' }).inputValue();
  expect(link).toMatch(/&lambda=0&.*compare=ab&b\.lambda=20$/);
  await expect(share.getByRole('img', { name: /^QR code of http/ })).toBeVisible();
  await expectAccessible(page, undefined, ['light']);
  await share.getByRole('button', { name: 'Close' }).click();

  await page.getByRole('button', { name: 'Measure' }).click();
  await expect(page.getByRole('slider', { name: 'Parameters kept' })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Measure again' })).toBeEnabled({ timeout: 60_000 });
  await expectAccessible(page);
  await page.setViewportSize({ width: 360, height: 780 });
  // Charts follow the width a moment later.
  await expect.poll(() => sideways(page)).toBeLessThanOrEqual(0);

  // What cannot change in a run asks first; a wrong value is told and changes nothing.
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('textbox', { name: 'λ, A' }).fill('much');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('alert')).toContainText('λ must be a number, not "much"');
  await page.getByRole('combobox', { name: 'Setting to change' }).selectOption('train.batchSize');
  await page.getByRole('textbox', { name: 'Batch size, A' }).fill('16');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('dialog', { name: 'This starts both over' })).toBeVisible();
  await page.getByRole('button', { name: 'Keep both' }).click();
  expect(await pairStep(page)).toBeGreaterThan(equal);
  await page.getByRole('button', { name: 'Back to the run' }).click();
  await expect(page.getByRole('button', { name: 'Compare' })).toBeVisible();
  await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await expect(page.getByRole('region', { name: 'What differs' }).getByRole('row').nth(1)).toHaveText(/λ.*0.*20/);
  watch.expectQuiet();
});

test('a grid of two by two runs unattended, survives a reload in its middle and goes on', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&${ONE_BLOCK}&lambda=5&targetRank=0.1&steps=20&evalEvery=10`);
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  await page.getByRole('textbox', { name: 'Values of λ' }).fill('0, x');
  await page.getByRole('textbox', { name: 'Values of Target rank' }).fill('0.1, 0.3');
  await page.getByRole('button', { name: 'Run the grid' }).click();
  await expect(page.getByRole('alert')).toContainText('λ must be a number, not "x"');
  await page.getByRole('textbox', { name: 'Values of λ' }).fill('0, 5');
  await expectAccessible(page, undefined, ['light']);
  await page.getByRole('button', { name: 'Run the grid' }).click();
  const done = page.getByTestId('grid-done');
  await expect(done).toHaveText('1', { timeout: 60_000 });
  await expect(page.locator('.heat [data-state=run]')).toHaveCount(1);
  await page.reload();
  await page.getByRole('button', { name: 'Go on with the grid' }).click({ timeout: 60_000 });
  await expect(done).toHaveText(/[123]/);
  const before = Number(await done.textContent());
  await expect(page.locator('.heat [data-state=done]')).toHaveCount(before);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(done).toHaveText('4', { timeout: 90_000 });
  await expect(page.locator('.heat [data-state=done]')).toHaveCount(4);
  await expect(page.locator('.grid-points circle')).toHaveCount(2);

  // By the keyboard to another run, its figures, and the whole of it.
  await page.locator('.heat [aria-pressed=true]').focus();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByRole('heading', { name: 'λ 5, rank 0.1' })).toBeVisible();
  await page.getByRole('button', { name: 'Open run' }).click();
  const sheet = page.getByRole('dialog', { name: 'λ 5, rank 0.1' });
  await expect(sheet.getByRole('grid')).toBeVisible();
  await expectAccessible(page, undefined, ['light']);
  await sheet.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('combobox', { name: 'Figure' }).selectOption('loss');
  await expect(page.locator('.heat [data-state=done]').first()).toHaveText(/^\d\.\d{3}$/);
  await expectAccessible(page, undefined, ['light']);

  await page.getByRole('button', { name: 'Share' }).click();
  const share = page.getByRole('dialog', { name: 'Share this grid' });
  await expect(share.getByRole('textbox', { name: 'Link to the grid' })).toHaveValue(
    /&steps=20.*&compare=grid&up=lambda:0,5&across=targetRank:0\.1,0\.3&seeds=1$/,
  );
  await share.getByRole('button', { name: 'Close' }).click();

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  expect(readFileSync(await (await download).path(), 'utf8').match(/,done,/g)).toHaveLength(4);
  await page.setViewportSize({ width: 360, height: 780 });
  // Charts follow the width a moment later.
  await expect.poll(() => sideways(page)).toBeLessThanOrEqual(0);

  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: 'Same start, one change' }).click();
  await expect(page.getByRole('dialog', { name: 'Same start, one change' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Presets' })).toContainText('ViT 1 × 32/8');
  expect(await page.evaluate(() => window.q3r.shareUrl())).toContain('lambda=5');
  await page.getByRole('button', { name: 'Cancel' }).click();

  // The runs are kept like any other, in one row that unfolds, and a pair can take them up.
  const runs = page.getByRole('region', { name: 'Runs', exact: true });
  await expect(runs.locator('tbody tr')).toHaveCount(1);
  await runs.getByRole('button', { name: 'Grid λ × Target rank', exact: true }).click();
  await expect(runs.locator('tbody tr')).toHaveCount(5);
  await expectAccessible(page);
  await runs.getByRole('button', { name: 'More on Grid λ × Target rank' }).click();
  await runs.getByRole('button', { name: /^Delete 4 runs/ }).click();
  await expect(runs.locator('tbody tr')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(runs.locator('tbody tr')).toHaveCount(5);
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByRole('button', { name: 'A / B' }).click();
  await page.getByRole('button', { name: 'What B runs' }).click();
  const kept = page.getByRole('region', { name: 'Kept runs' });
  await expect(kept.getByRole('button')).toHaveCount(4);
  await expectAccessible(page, undefined, ['light']);
  await kept.getByRole('button', { name: /^λ 5, rank 0\.3/ }).click();
  await expect(page.getByRole('button', { name: 'What B runs' })).toHaveText('λ 5, rank 0.3');
  watch.expectQuiet();
});
