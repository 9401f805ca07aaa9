import { measure, pane, waitForStep } from './acts.mjs';

/** What everybody sees: the first page, a run that goes, and one that has ended, pane by pane. */
export const first = {
  name: 'first',
  shots: ['first', 'first-end', 'main-empty', 'main-going', 'main-finished', 'main-matrix', 'main-matrix-end', 'main-setup', 'main-data'],
  async run({ open, shot }) {
    const page = await open();
    await shot('first', page);
    await shot('first-end', page, { sizes: ['390'], at: () => page.evaluate(() => window.scrollTo(0, 1e6)) });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.getByRole('button', { name: 'All settings' }).click();
    await shot('main-empty', page);
    await page.evaluate(() => window.q3r.configure({ train: { steps: 420, evalEvery: 30 } }));
    await page.getByRole('button', { name: 'Play', exact: true }).first().click();
    await waitForStep(page, 60);
    await shot('main-going', page);
    await waitForStep(page, 420);
    await measure(page);
    await shot('main-finished', page);
    await shot('main-matrix', page, { sizes: ['390'], at: pane(page, 'Matrix') });
    await shot('main-matrix-end', page, {
      sizes: ['390', '1024'],
      at: async (size) => {
        await pane(page, 'Matrix')(size);
        await page.locator('.chart-formula').scrollIntoViewIfNeeded();
      },
    });
    await shot('main-setup', page, {
      sizes: ['1024', '390'],
      at: async (size) => {
        if (size === '1024') await page.getByRole('button', { name: 'Setup', exact: true }).first().click();
        else await pane(page, 'Setup')(size);
      },
    });
    await page.keyboard.press('Escape');
    await shot('main-data', page, {
      sizes: ['1440'],
      at: () =>
        page.evaluate(() => {
          for (const group of window.document.querySelectorAll('#experiment details:not([open]) > summary')) group.click();
        }),
    });
  },
};
