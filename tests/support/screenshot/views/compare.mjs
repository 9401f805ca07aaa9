/** Two blocks that learn within 240 steps. */
const MODEL =
  '#v=1&patchSize=8&embedDim=32&numHeads=2&depth=2&batchSize=32&warmupSteps=10&lr=0.004&evalEvery=40&evalCount=200&lambda=0&steps=240&targetRank=0.1&epsilonSchedule=exploration';

const pairStep = (page, count) =>
  page.waitForFunction(
    (n) => Number(window.document.querySelector('[data-testid=pair-step]')?.textContent.replace(/\D/g, '')) >= n,
    count,
    {
      timeout: 10 * 60_000,
    },
  );

/** Two experiments in lockstep, and a grid of them. */
export const compare = {
  name: 'compare',
  shots: ['ab-setup', 'ab-going', 'ab-parted', 'ab-end', 'grid-setup', 'grid-going', 'grid', 'grid-end', 'grid-cell'],
  async run({ open, shot, wants }) {
    const page = await open(MODEL);
    await page.getByRole('button', { name: 'Compare' }).click();
    await shot('ab-setup', page);
    await page.getByRole('textbox', { name: 'λ, B' }).fill('0');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('button', { name: 'Play', exact: true }).first().click();
    await pairStep(page, 60);
    await shot('ab-going', page);
    if (await page.getByRole('button', { name: 'Pause' }).isVisible()) await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('textbox', { name: 'λ, B' }).fill('5');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('button', { name: 'Play', exact: true }).first().click();
    await pairStep(page, 240);
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('button', { name: 'Measure again' }).waitFor({ timeout: 120_000 });
    await shot('ab-parted', page);
    await shot('ab-end', page, {
      sizes: ['390', '1024'],
      at: () => page.getByRole('button', { name: 'Measure again' }).scrollIntoViewIfNeeded(),
    });

    if (!wants('grid-setup', 'grid-going', 'grid', 'grid-end', 'grid-cell')) return;
    await page.getByRole('button', { name: 'Grid', exact: true }).click();
    await page.getByRole('textbox', { name: 'Values of λ' }).fill('0, 1, 5');
    await page.getByRole('textbox', { name: 'Values of Target rank' }).fill('0.1, 0.2, 0.3');
    await shot('grid-setup', page);
    await page.getByRole('button', { name: 'Run the grid' }).click();
    await page
      .locator('.heat [data-state=done]')
      .nth(2)
      .waitFor({ timeout: 5 * 60_000 });
    await shot('grid-going', page);
    await page
      .locator('.heat [data-state=done]')
      .nth(8)
      .waitFor({ timeout: 20 * 60_000 });
    await shot('grid', page);
    await shot('grid-end', page, {
      sizes: ['390', '1024'],
      at: () => page.getByRole('button', { name: 'Open run' }).scrollIntoViewIfNeeded(),
    });
    await page.getByRole('button', { name: 'Open run' }).click();
    await page.getByRole('dialog').getByRole('grid').waitFor();
    await shot('grid-cell', page);
  },
};
