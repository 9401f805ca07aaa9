import { choose, importRecordings, measure, pane, train } from './acts.mjs';

/** The table of runs, and four of them over each other: two recordings and two runs made now. */
export const runs = {
  name: 'runs',
  shots: [
    'runs-empty',
    'runs-table',
    'runs-row-menu',
    'overlays',
    'overlays-runs',
    'difference',
    'fork',
    'projector',
    'keys',
    'presets',
    'weights-menu',
  ],
  async run({ open, shot }) {
    const page = await open('#v=1');
    await shot('runs-empty', page, { sizes: ['390'], at: pane(page, 'Runs') });
    await importRecordings(page);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    const small = { name: 'adamq3r', lambda: 5 };
    await page.evaluate(() =>
      window.q3r.configure(
        '#v=1&patchSize=8&embedDim=48&depth=2&numHeads=4&mlpRatio=2&batchSize=32&lr=0.003&warmupSteps=20&targetRank=0.07&epsilonSchedule=exploration&augment=none',
      ),
    );
    await train(page, { method: { ...small, lambda: 1 }, train: { steps: 200, evalEvery: 25, evalCount: 200 } });
    await page.evaluate(() => window.q3r.reset());
    await train(page, { method: small });
    await measure(page);
    const drawer = page.getByRole('region', { name: 'Runs', exact: true });
    for (const button of await drawer.getByRole('button', { name: /^Draw .* on the charts$/ }).all())
      if ((await button.getAttribute('aria-pressed')) === 'false') await button.click();
    await shot('overlays', page);
    await shot('overlays-runs', page, { sizes: ['390'], at: pane(page, 'Runs') });
    await shot('runs-row-menu', page, {
      at: async (size) => {
        await page.keyboard.press('Escape');
        await pane(page, 'Runs')(size);
        await drawer
          .getByRole('button', { name: /^More on/ })
          .nth(1)
          .click();
      },
    });
    await page.keyboard.press('Escape');
    await drawer.getByRole('button', { name: 'Open the table of runs large' }).click();
    const sheet = page.getByRole('dialog', { name: 'Runs', exact: true });
    await sheet
      .getByRole('checkbox', { name: /^Choose/ })
      .nth(1)
      .check();
    await shot('runs-table', page);
    await sheet.getByRole('button', { name: 'Close' }).click();
    await drawer.getByRole('button', { name: 'Difference' }).click();
    await page.getByRole('dialog', { name: 'Difference of two runs' }).waitFor();
    await shot('difference', page);
    await page.keyboard.press('Escape');
    await choose(page, /^More on/, /^Same start, one change/);
    await page.getByRole('dialog', { name: 'Same start, one change' }).waitFor();
    await shot('fork', page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('p');
    await shot('projector', page, { sizes: ['1440', '1024'] });
    await page.keyboard.press('Escape');
    for (const [name, button] of [
      ['presets', 'Presets'],
      ['keys', 'Keys'],
      ['weights-menu', /^Weights/],
    ])
      await shot(name, page, {
        sizes: ['1440', '390'],
        at: async (size) => {
          const opener = page.getByRole('button', { name: button }).first();
          if (size === '390') await page.keyboard.press('Escape');
          if (await opener.isVisible()) await opener.click();
        },
      });
  },
};
