import { expect, test } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';

test('without WebGPU the page says what to do', async ({ page }) => {
  const watch = watchConsole(page);
  await page.goto('./');
  await expect(page.getByRole('heading', { name: 'This browser cannot reach the GPU yet' })).toBeVisible();
  await expectAccessible(page);
  // The next step is named, not only the failure.
  await expect(page.getByText(/Chrome|Edge|Firefox|Safari/).first()).toBeVisible();
  // Chromium itself warns when it finds no adapter.
  watch.expectQuiet([/No available adapters/]);
});
