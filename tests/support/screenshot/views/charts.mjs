import { pane, waitForStep } from './acts.mjs';

/** Charts, wall and inspector of the recorded AdamQ3R run against a dense one of now. */
export const charts = {
  name: 'charts',
  shots: ['charts-log', 'charts-zoomed', 'charts-data', 'charts-save', 'heat', 'inspector', 'formula', 'baseline'],
  async run({ open, shot }) {
    const page = await open(
      '#v=1&patchSize=8&embedDim=48&depth=2&numHeads=4&mlpRatio=2&batchSize=32&lr=0.003&warmupSteps=20&evalEvery=25&evalCount=200&steps=200&lambda=5&targetRank=0.07&epsilonSchedule=exploration',
    );
    await page.evaluate(() => window.q3r.configure({ method: { name: 'adamw' }, train: { steps: 120 } }));
    await page.evaluate(() => window.q3r.start());
    await waitForStep(page, 120);
    await page.evaluate(() => window.q3r.configure({ method: { name: 'adamq3r' }, train: { steps: 200 } }));
    await page.evaluate(() => window.q3r.start());
    await waitForStep(page, 200);
    await shot('inspector', page, {
      at: async (size) => {
        await pane(page, 'Matrix')(size);
        if (size === '390') await page.getByRole('button', { name: 'Next matrix' }).click();
      },
    });
    await page.evaluate(() => window.scrollTo(0, 0));
    await pane(page, 'Matrix')('1440');
    const inspector = page.getByRole('region', { name: 'Selected matrix' });
    await inspector.getByRole('button', { name: 'Over time' }).click();
    await shot('heat', page, { at: pane(page, 'Matrix') });
    await inspector.getByRole('button', { name: 'Now' }).click();
    await shot('baseline', page, {
      at: async (size) => {
        await pane(page, 'Watch')(size);
        await page.getByRole('button', { name: 'Baseline' }).click();
      },
    });
    await page.getByRole('button', { name: 'This run' }).click();
    await page.getByRole('button', { name: 'Explain' }).click();
    await shot('formula', page);
    await page.keyboard.press('Escape');
    for (const axis of ['Horizontal axis', 'Vertical axes']) await page.getByRole('button', { name: `${axis} logarithmic` }).click();
    await shot('charts-log', page, { at: pane(page, 'Watch') });
    await page.getByRole('button', { name: 'Horizontal axis logarithmic' }).click();
    const box = await page.locator('.chart-stack').boundingBox();
    const x = (share) => box.x + 36 + (box.width - 36) * share;
    await page.mouse.move(x(0.3), box.y + 30);
    await page.mouse.down();
    await page.mouse.move(x(0.7), box.y + 40, { steps: 3 });
    await page.mouse.up();
    await page.mouse.move(x(0.5), box.y + 40);
    await shot('charts-zoomed', page, { at: pane(page, 'Watch') });
    await shot('charts-save', page, {
      sizes: ['1440', '390'],
      at: () => page.getByRole('button', { name: 'Save charts and data' }).click(),
    });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Show data: The runs by step' }).click();
    await shot('charts-data', page, { sizes: ['1440'] });
  },
};
