import { expect, test } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { openPlayground } from '../support/playground';
import { watchConsole } from '../support/page';

const NANO = 'patchSize=8&embedDim=32&numHeads=2&depth=1&batchSize=4&warmupSteps=0&evalCount=16&evalEvery=0&steps=50';

test('a teacher’s link leaves λ alone, and nothing on the page gets past it', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&${NANO}`);
  await page.getByRole('button', { name: /^Link with results, run file/ }).click();
  await page.getByRole('button', { name: /^Teacher link/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Share' });
  await dialog.getByRole('button', { name: 'Only λ' }).click();
  await expect(dialog.getByRole('radio', { name: 'Learning rate: Hidden' })).toBeChecked();
  await expect(dialog.getByRole('radio', { name: 'λ: Free' })).toBeChecked();
  await expectAccessible(page, 'dialog[open]');
  const link = await dialog.getByRole('textbox', { name: 'Teacher link' }).inputValue();
  expect(link).toContain('only=lambda');

  await page.goto('about:blank');
  await openPlayground(page, link.slice(link.indexOf('#')));
  const rail = page.getByRole('region', { name: 'Experiment' });
  await expect(rail.getByRole('spinbutton').or(rail.getByRole('textbox'))).toHaveCount(1);
  await expect(page.getByRole('button', { name: /Compare|Weights|Presets/ })).toHaveCount(0);
  const line =
    'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.003 --epoch 1 --batch_size 32 --technique AdamQ3R --lmbda 5 --target_rank 0.09 --epsilon_schedule exploration --grad_clip true --target_modules qkv proj fc1 fc2';
  const tried = await page.evaluate(async (line) => {
    const said = (p: Promise<unknown>) =>
      p.then(
        () => 'done',
        (e: Error) => e.message,
      );
    return [
      await said(window.q3r.configure({ train: { lr: 0.5 } })),
      await said(window.q3r.configure(line)),
      await said(window.q3r.configure({ method: { lambda: 2 } })),
    ];
  }, line);
  expect(tried[0]).toMatch(/locks Learning rate/);
  expect(tried[1]).toMatch(/The link of this page locks/);
  expect(tried[2]).toBe('done');
  expect(await page.evaluate(() => window.q3r.shareUrl())).toContain('only=lambda');
  const { lr, lambda } = await page.evaluate(() =>
    window.q3r.configure({}).then(({ train, method }) => ({ lr: train.lr, lambda: method.lambda })),
  );
  expect(lambda).toBe(2);
  expect(lr).not.toBe(0.5);
  expect((await page.evaluate(() => window.q3r.step(2))).length).toBe(2);
  await expectAccessible(page, undefined, ['light']);
  watch.expectQuiet();
});

test('projector type hides the rails, and Escape brings them back; what is locked is a figure, in every matrix and in Compare', async ({
  page,
}) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&${NANO}&projector=1&lock=lambda,steps&hide=lr`);
  await expect(page.getByRole('region', { name: 'Experiment' })).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('region', { name: 'Experiment' })).toBeVisible();
  await page.getByRole('button', { name: 'Matrix by matrix…, locked' }).click();
  const sheet = page.getByRole('dialog', { name: 'Matrix by matrix' });
  await expect(sheet.getByText('Target rank of fc1, locked:')).toHaveCount(1);
  await expect(sheet.getByRole('textbox').or(sheet.getByRole('switch'))).toHaveCount(0);
  await expectAccessible(page, undefined, ['light']);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Compare' }).click();
  const setting = page.getByRole('combobox', { name: 'Setting to change' });
  await expect(setting.getByRole('option', { name: 'Learning rate' })).toHaveCount(0);
  await expect(page.getByRole('textbox', { name: 'Target rank, B' })).toBeVisible();
  await setting.selectOption('method.lambda');
  await expect(page.getByText('λ, B, locked:')).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Apply' })).toHaveCount(0);
  await expectAccessible(page, undefined, ['light']);
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  await expect(page.getByRole('combobox', { name: 'Setting, up' })).not.toHaveValue('method.lambda');
  await expect(page.getByText('Steps of each run, locked:')).toHaveCount(1);
  await expectAccessible(page);
  watch.expectQuiet();
});
