import { TINY } from './acts.mjs';

/** What goes wrong: a loss that is no number, no memory, a crash, a model that does not fit, links that cannot be read. */
export const states = {
  name: 'states',
  shots: ['error-diverged', 'error-memory', 'error-crash', 'error-refused', 'error-link', 'error-replay', 'ask-new-run'],
  async run({ open, shot }) {
    const page = await open(
      '#v=1&steps=100000&lr=0.001&lrSchedule=constant&gradClip=0&patchSize=8&embedDim=32&numHeads=4&depth=1&batchSize=8&warmupSteps=0&evalEvery=0',
    );
    await page.evaluate(() => window.q3r.step(60));
    // The pull multiplies the tail by 1 − 2λ·lr, −9 at every step.
    await page.evaluate(() => window.q3r.configure({ train: { lr: 1 }, method: { lambda: 5 } }));
    await page.evaluate(() => window.q3r.start());
    await page.getByRole('heading', { name: /stopped being a number/ }).waitFor({ timeout: 120_000 });
    await shot('error-diverged', page);

    const memory = await open(`#v=1&${TINY}`);
    await memory.evaluate(() => window.q3r.provoke('out-of-memory'));
    await memory.evaluate(() => window.q3r.step(1).catch(() => undefined));
    await memory.locator('[data-fault="out-of-memory"]').waitFor();
    await shot('error-memory', memory);

    const crash = await open(`#v=1&steps=100000&${TINY}`);
    await crash.evaluate(() => window.q3r.step(2));
    await crash.evaluate(() => window.q3r.provoke('worker-crash').catch(() => undefined));
    await crash.locator('[data-fault="worker-crash"]').waitFor();
    await shot('error-crash', crash);

    const ask = await open(`#v=1&steps=100000&${TINY}`);
    await ask.evaluate(() => window.q3r.step(20));
    await ask.getByRole('button', { name: 'Presets' }).click();
    await ask.getByRole('button', { name: /^ViT-Micro/ }).click();
    await ask.getByRole('dialog').waitFor();
    await shot('ask-new-run', ask, { sizes: ['1440', '390'] });

    const refused = await open('#v=1&embedDim=1024&depth=24&numHeads=16&mlpRatio=4&batchSize=2048');
    await refused.waitForTimeout(500);
    await shot('error-refused', refused);
    const link = await open('#v=1&lambda=much&depht=3&steps=-4');
    await shot('error-link', link);
    const none = await open('#replay=none', { ready: false });
    await none.getByText(/This page has no recording/).waitFor();
    await shot('error-replay', none);
  },
};
