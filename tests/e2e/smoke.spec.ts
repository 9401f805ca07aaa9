import { expect, test } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';

test('the built page opens without a console message, asks no other server for anything and offers to play', async ({
  page,
  request,
  baseURL,
}) => {
  const watch = watchConsole(page);
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(baseURL!)) foreign.push(request.url());
  });
  await page.goto('./');
  await expect(page).toHaveTitle(/Q3R/);
  await expect(page.getByRole('button', { name: /play/i }).first()).toBeEnabled({ timeout: 60_000 });
  expect(foreign).toEqual([]);
  await expectAccessible(page);

  await test.step('the manifest names the page and icons that are there, under any address', async () => {
    const href = await page.locator('link[rel=manifest]').getAttribute('href');
    const base = new URL('.', page.url());
    const manifest = (await (await request.get(new URL(href!, base).href)).json()) as {
      name: string;
      start_url: string;
      icons: { src: string; sizes: string }[];
    };
    expect(manifest).toMatchObject({ name: 'Q3R Playground', start_url: './', display: 'standalone' });
    for (const { src, sizes } of manifest.icons) {
      const answer = await request.get(new URL(src, base).href);
      expect(answer.ok(), src).toBe(true);
      // Width and height of a PNG stand at byte 16.
      if (src.endsWith('.png')) expect(`${(await answer.body()).readUInt32BE(16)}x${(await answer.body()).readUInt32BE(20)}`).toBe(sizes);
    }
    // Under automation nothing is kept unless the address asks for it.
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  });

  // Who does not want to wait watches a run that was made before.
  await page.getByRole('region', { name: 'Or watch a recorded run' }).getByRole('button', { name: 'AdamQ3R' }).click();
  await expect(page.getByRole('region', { name: 'Recording' })).toContainText('Recorded on');
  watch.expectQuiet();
});
