import { expect, test, type Page } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';
import { openPlayground } from '../support/playground';

const LINE =
  'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.0004 --epoch 100 --technique AdamQ3R --lmbda 0.1 --target_rank 0.05 --target_modules qkv';

/** As Ctrl+V with the focus on nothing. */
const paste = (page: Page, text: string) =>
  page.evaluate((value) => {
    const data = new DataTransfer();
    data.setData('text/plain', value);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);

test('a command pasted on the page is read, corrected, applied and copied again', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const watch = watchConsole(page);
  await openPlayground(page, '#v=1&depth=3&embedDim=32&batchSize=4');
  await test.step('scripts configure with a command; a flag that does not fit is named and nothing changes', async () => {
    const result = await page.evaluate(async (line) => {
      const before = window.q3r.shareUrl();
      const errors: string[] = [];
      for (const bad of [`${line} --dropout 0.5`, 'python main.py', `${line} --technique Q3R`])
        await window.q3r.configure(bad).catch((e: Error & { field: string }) => errors.push(`${e.name} ${e.field}`));
      return { errors, same: before === window.q3r.shareUrl(), written: window.q3r.commandLine() };
    }, LINE);
    expect(result.errors).toEqual(['ConfigError --dropout', 'ConfigError --dataset', 'ConfigError --technique']);
    expect(result.same).toBe(true);
    expect(result.written.line).toContain('python main.py --dataset CIFAR10 --model VIT_Tiny');
    expect(result.written.notes).toContain('Blocks is 3; the line stands for 12.');
  });

  const before = await page.evaluate(() => window.q3r.shareUrl());
  // Other text is none of ours.
  await paste(page, 'hello');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await paste(page, `${LINE} --dropout 0.1`);
  const dialog = page.getByRole('dialog', { name: 'Paste a command' });
  const box = dialog.getByRole('textbox');
  const apply = dialog.getByRole('button', { name: 'Apply' });
  await expect(dialog).toContainText('--dropout 0.1 cannot be used');
  await expect(apply).toBeDisabled();
  await expectAccessible(page, undefined, ['light']);
  await box.fill(`${LINE} --amp true`);
  await expect(dialog).toContainText('on CIFAR-10, AdamQ3R, 39');
  await expect(dialog).toContainText('longer side');
  expect(await page.evaluate(() => window.q3r.shareUrl())).toBe(before);
  await apply.click();
  await expect(dialog).toBeHidden();
  const link = await page.evaluate(() => window.q3r.shareUrl());
  for (const part of ['lambda=0.1', 'targetRank=0.05', 'rankRule=max', 'steps=39100', 'imageSize=224', 'accumulate=8', 'precision=mixed'])
    expect(link).toContain(part);

  await page.getByRole('button', { name: 'Command line' }).click();
  await expectAccessible(page, undefined, ['light']);
  await page.getByRole('button', { name: /Copy command line/ }).click();
  await expect(page.getByText('Line copied')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(LINE.replace(' --target_modules', ' --amp true --target_modules'));
  await expect(page.getByRole('dialog')).toHaveCount(0);

  // A link goes the same way; what it does not say is told with the line.
  await page.getByRole('button', { name: 'Command line' }).click();
  await page.getByRole('button', { name: /Paste a command/ }).click();
  await box.fill('#v=1&depth=1&lambda=-1');
  await expect(dialog).toContainText('must be a number from 0 to 1000');
  await expect(apply).toBeDisabled();
  await box.fill('#v=1&depth=1');
  await apply.click();
  await page.getByRole('button', { name: 'Command line' }).click();
  await page.getByRole('button', { name: /Copy command line/ }).click();
  const copied = page.getByRole('dialog', { name: 'The command is copied' });
  await expect(copied).toContainText('Blocks is 1; the line stands for 12.');
  await expectAccessible(page, undefined, ['light']);
  watch.expectQuiet();
});

test('the walk through the mathematics has the numbers of the run', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(
    page,
    '#v=1&patchSize=8&embedDim=32&depth=1&batchSize=8&steps=50&warmupSteps=0&lrSchedule=constant&lr=0.01&lambda=3',
  );
  const panel = page.getByRole('region', { name: 'What Q3R adds' });
  await page.evaluate(() => window.q3r.configure({}));
  await expect(panel).toContainText('as soon as a run has measured it');
  await page.evaluate(() => window.q3r.step(11));
  await panel.getByRole('button', { name: 'Explain' }).click();
  const dialog = page.getByRole('dialog', { name: /What Q3R adds/ });
  const name = await dialog.getByRole('heading').first().textContent();
  expect(name).toContain('Block 0 fc1');
  const want = await page.evaluate(async () => {
    const m = (await window.q3r.spectra()).find((s) => s.name === 'blocks.0.mlp.fc1.weight')!;
    const f = (t: number) => (t <= m.epsilon ? t ** 2 / 2 : m.epsilon ** 2 * (Math.log(t / m.epsilon) + 0.5));
    const r = (t: number) => Math.min(t, m.epsilon ** 2 / t);
    const s = [...m.sigma];
    return { f: s.reduce((a, t) => a + f(t), 0), r: Math.hypot(...s.map(r)), epsilon: m.epsilon, next: s[m.targetRank]! };
  });
  const figure = (i: number) => dialog.locator('summary').nth(i).locator('span').textContent();
  // The page's spectrum is that of the last event, coarser than the exact one: three digits agree.
  const near = (text: string | null | undefined, value: number) => expect(Math.abs(Number(text) / value - 1)).toBeLessThan(5e-3);
  near(await figure(0), want.f);
  near((await figure(1))?.replace('‖R‖ ', ''), want.r);
  const [before, after] = (await figure(2))!.split(' → ');
  near(before, want.epsilon);
  near(after, Math.min(want.epsilon, want.next));
  // 2 · 0.01 · 3.
  expect(await figure(3)).toContain('0.0600');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  watch.expectQuiet();
});
