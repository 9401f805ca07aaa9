import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../run.mjs';

/** One block: a step takes milliseconds on a software adapter. */
export const TINY = 'patchSize=8&embedDim=32&numHeads=2&depth=1&batchSize=8&warmupSteps=4&lr=0.003&evalCount=32';

/** Shares at which truncation is measured. */
const SHARES = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** Waits until the run has made `count` steps. */
export const waitForStep = (page, count) =>
  page.waitForFunction((n) => window.q3r.history().length >= n, count, { timeout: 20 * 60_000, polling: 250 });

/** Trains `patch` of the shown experiment to its end. */
export async function train(page, patch) {
  const { train } = await page.evaluate((change) => window.q3r.configure(change), patch);
  await page.evaluate(() => window.q3r.start());
  await waitForStep(page, train.steps);
}

/** Measures the truncation curve of the run on screen. */
export async function measure(page) {
  await page.evaluate((shares) => window.q3r.truncate(shares), SHARES);
  // The curve reaches the page a moment after the answer.
  await page.waitForTimeout(500);
}

/** Goes to a pane of the phone; the other sizes show all of them. */
export const pane = (page, name) => async (size) => {
  if (size === '390') await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name, exact: true }).click();
};

/** Puts the two recordings that come with the page into the table of runs. */
export async function importRecordings(page) {
  const files = ['dense', 'adamq3r'].map((name) => join(ROOT, 'public', 'runs', `${name}.q3r.json`));
  await page.locator('.runs-drawer input[type=file]').first().setInputFiles(files);
  await page.waitForFunction(async () => (await window.q3r.runs()).length >= 2, undefined, { timeout: 30_000 });
}

/** A small picture that every checkout has. */
export const PICTURE = readFileSync(join(ROOT, 'public', 'icons', 'icon-192.png'));

/** Opens an entry of a menu. */
export async function choose(page, menu, entry) {
  await page.getByRole('button', { name: menu }).first().click();
  await page.getByRole('button', { name: entry }).last().click();
}
