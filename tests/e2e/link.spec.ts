import { expect, test } from '@playwright/test';
import { openPlayground, waitForDevice } from '../support/playground';
import { watchConsole } from '../support/page';

test('a link opens its experiment, without what is wrong in it; it is shared, and opened elsewhere it restores the experiment exactly', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const watch = watchConsole(page);
  await openPlayground(page, '#v=1&lambda=-5&depth=3&embedDim=32&batchSize=4&colour=%3Cb%3Ered');

  await test.step('a bad value in a link is named on the page and not applied; the good ones are', async () => {
    const notice = page.getByRole('alert').filter({ hasText: 'lambda' });
    await expect(notice).toContainText('must be a number from 0 to 1000');
    await expect(notice).toContainText('colour');
    // Text of a link never becomes markup.
    expect(await notice.locator('b').count()).toBe(0);
    const link = await page.evaluate(() => window.q3r.shareUrl());
    expect(link).toContain('depth=3');
    expect(link).not.toContain('lambda');
  });

  await test.step('a script gets a ConfigError that names the field, and nothing changes', async () => {
    const result = await page.evaluate(async () => {
      const before = window.q3r.shareUrl();
      const errors: string[] = [];
      for (const patch of [{ train: { lr: -1 } }, { model: { numHeads: 7 } }, { method: { speed: 1 } }, '#v=1&lambda=x'])
        await window.q3r.configure(patch as never).catch((e: Error & { field: string }) => errors.push(`${e.name} ${e.field}`));
      return { errors, same: before === window.q3r.shareUrl() };
    });
    expect(result.errors).toEqual([
      'ConfigError train.lr',
      'ConfigError model.numHeads',
      'ConfigError method.speed',
      'ConfigError method.lambda',
    ]);
    expect(result.same).toBe(true);
  });

  const sent = await page.evaluate(() =>
    window.q3r.configure({
      model: { depth: 1, embedDim: 16 },
      train: { lr: 0.00123, seed: 9 },
      method: { lambda: 0.37, targetModules: ['qkv', 'fc2'] },
    }),
  );
  const link = await page.evaluate(() => window.q3r.shareUrl());
  expect(link.length).toBeLessThan(2048);

  await test.step('the Share button copies the link', async () => {
    await page.getByRole('button', { name: 'Share' }).click();
    await expect(page.getByText('Link copied')).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  });
  watch.expectQuiet();

  await test.step('another page restores it exactly', async () => {
    const other = await context.newPage();
    await other.goto(link);
    await waitForDevice(other);
    expect(await other.evaluate(() => window.q3r.configure({}))).toEqual(sent);
  });
});
