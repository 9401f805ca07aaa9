import { PICTURE, train } from './acts.mjs';

/** What the model sees: samples, confusion, attention, and a picture of the visitor's. */
export const see = {
  name: 'see',
  shots: ['see-empty', 'see-samples', 'see-confusion', 'see-attention', 'see-own', 'see-camera'],
  async run({ open, shot }) {
    const page = await open(
      '#v=1&patchSize=4&embedDim=48&depth=2&numHeads=3&mlpRatio=2&batchSize=16&lr=0.003&warmupSteps=20&evalEvery=0&evalCount=200&steps=120&lambda=5&targetRank=0.07&epsilonSchedule=exploration',
    );
    await page.getByRole('button', { name: 'See the model' }).click();
    const view = page.getByRole('region', { name: 'See the model' });
    await shot('see-empty', page);
    await train(page, {});
    await view.getByText('step 120', { exact: true }).waitFor({ timeout: 60_000 });
    await view.getByRole('combobox', { name: 'Order' }).selectOption('least sure first');
    await shot('see-samples', page);
    await view.getByRole('button', { name: 'Confusion' }).click();
    await shot('see-confusion', page);
    await view.getByRole('button', { name: 'Attention' }).click();
    await view.getByRole('grid', { name: /^Whole model/ }).waitFor({ timeout: 60_000 });
    await shot('see-attention', page);
    await view.locator('input[type=file]').first().setInputFiles({ name: 'curve.png', mimeType: 'image/png', buffer: PICTURE });
    await view.locator('.see-trio figcaption', { hasText: 'curve.png' }).first().waitFor();
    await shot('see-own', page);
    await view.getByRole('button', { name: 'Camera' }).click();
    await page.locator('video').waitFor();
    await shot('see-camera', page, { sizes: ['1440', '390'] });
  },
};
