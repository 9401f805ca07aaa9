import { expect, test, type Page } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';
import { openPlayground } from '../support/playground';

const NANO = 'patchSize=8&embedDim=32&numHeads=4&depth=1&batchSize=8&warmupSteps=5&evalEvery=5&evalCount=32&augment=basic';
const drawer = (page: Page) => page.getByRole('region', { name: 'Runs', exact: true });
const rows = (page: Page) => drawer(page).locator('tbody tr');

test('runs are kept, shown, renamed, deleted and had back; a file of one comes back as a run; one starts again with one change', async ({
  page,
}) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&steps=200&lambda=5&${NANO}`);
  await expect(drawer(page)).toContainText('Every run of at least one step is kept here');
  await page.evaluate(() => window.q3r.step(12));
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('paused at step 12 of 200');
  await page.evaluate(async () => {
    // Changed behind the last step, it is not the first run's.
    await window.q3r.configure({ method: { lambda: 7 } });
    await window.q3r.reset();
    await window.q3r.step(6);
  });
  await expect(rows(page)).toHaveCount(2);
  const other = rows(page).nth(1);
  await expect(other.locator('.run-chip')).toHaveText(/λ\s*7\s*5/);

  await other.getByRole('button', { name: /^Draw/ }).click();
  await expect(drawer(page)).toContainText('2 kept, 2 shown');
  await other.getByRole('button', { name: 'AdamQ3R, λ 5', exact: true }).click();
  await page.keyboard.type('Gentle');
  await page.keyboard.press('Enter');
  await expect(other).toContainText('Gentle');
  await expectAccessible(page, undefined, ['light']);

  await expect.poll(() => page.evaluate(async () => (await window.q3r.runs()).map((r) => r.step))).toEqual([6, 12]);
  await page.reload();
  await page.waitForFunction(() => 'q3r' in window);
  await expect(rows(page)).toHaveCount(2);
  await expect(drawer(page)).toContainText('Gentle');

  // Deleted with Undo, then for good, then back from its file.
  const text = await page.evaluate(async () => {
    const gentle = (await window.q3r.runs()).find((r) => r.name === 'Gentle')!;
    return window.q3r.exportRun(gentle.id);
  });
  await drawer(page).getByRole('button', { name: 'Open the table of runs large' }).click();
  const sheet = page.getByRole('dialog', { name: 'Runs', exact: true });
  await sheet.getByLabel('Filter runs').fill('gentle');
  await expect(sheet.locator('tbody tr')).toHaveCount(1);
  await sheet.getByLabel('Choose Gentle').check();
  await expectAccessible(page, undefined, ['light']);
  await sheet.getByRole('button', { name: 'Delete 1 run' }).click();
  await expect(sheet.locator('tbody tr')).toHaveCount(0);
  await sheet.getByRole('button', { name: 'Undo' }).click();
  await expect(sheet.locator('tbody tr')).toHaveCount(1);
  await sheet.getByRole('button', { name: 'Delete 1 run' }).click();
  await sheet.getByRole('button', { name: 'Close' }).click();
  await expect(rows(page)).toHaveCount(1);
  await page.reload();
  await expect(rows(page)).toHaveCount(1);
  const files = [
    { name: 'gentle.json', mimeType: 'application/json', buffer: Buffer.from(text.replace(/"id":"[\w-]+"/, '"id":"from-elsewhere"')) },
    { name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from('{}') },
  ];
  await drawer(page).locator('input[type=file]').setInputFiles(files);
  await expect(page.getByText(/broken\.json: This is no run file/)).toBeVisible();
  await expect(rows(page)).toHaveCount(2);
  await expect(drawer(page)).toContainText('from a file');
  expect(await page.evaluate(async () => JSON.parse(await window.q3r.exportRun('from-elsewhere')) as { rows: unknown })).toMatchObject({
    rows: (JSON.parse(text) as { rows: unknown }).rows,
  });

  // Same start: the first losses are those of the run it was made from.
  await page.evaluate(() => window.q3r.memory());
  await drawer(page).getByRole('button', { name: 'More on AdamQ3R, λ 7' }).click();
  await page.getByRole('button', { name: 'Same start, one change…' }).click();
  const fork = page.getByRole('dialog', { name: 'Same start, one change' });
  await expect(fork.getByRole('button', { name: 'Start' })).toBeDisabled();
  await fork.getByRole('textbox', { name: 'λ' }).fill('3');
  await page.keyboard.press('Tab');
  await expect(fork).toContainText('λ: 7 → 3');
  await expectAccessible(page);
  await fork.getByRole('button', { name: 'Start' }).click();
  await expect(rows(page)).toHaveCount(3, { timeout: 60_000 });
  await page.evaluate(() => window.q3r.pause());
  const [made, parent] = await page.evaluate(async () => {
    const runs = await window.q3r.runs();
    return [runs.find((r) => r.experiment.method.lambda === 3)!, runs.find((r) => r.experiment.method.lambda === 7)!];
  });
  expect(made).toMatchObject({ parent: parent.id, name: 'AdamQ3R, λ 3', experiment: { train: { seed: parent.experiment.train.seed } } });
  await drawer(page).getByRole('button', { name: 'Difference' }).click();
  await expect(page.getByRole('dialog', { name: 'Difference of two runs' })).toContainText('λ');
  await expectAccessible(page);
  watch.expectQuiet();
});
