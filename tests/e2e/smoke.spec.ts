import { expect, test } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';

test('the built page opens without a console message and offers to play', async ({ page }) => {
  const watch = watchConsole(page);
  await page.goto('./');
  await expect(page).toHaveTitle(/Q3R/);
  await expect(page.getByRole('button', { name: /play/i }).first()).toBeEnabled({ timeout: 60_000 });
  await expectAccessible(page);
  // Who does not want to wait watches a run that was made before.
  await page.getByRole('region', { name: 'Or watch a recorded run' }).getByRole('button', { name: 'AdamQ3R' }).click();
  await expect(page.getByRole('region', { name: 'Recording' })).toContainText('Recorded on');
  watch.expectQuiet();
});

test('the page asks no other server for anything on the first visit', async ({ page, baseURL }) => {
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(baseURL!)) foreign.push(request.url());
  });
  await page.goto('./');
  await expect(page.getByRole('button', { name: /play/i }).first()).toBeEnabled({ timeout: 60_000 });
  expect(foreign).toEqual([]);
});
