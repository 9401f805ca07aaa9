import { expect, test, type Page } from '@playwright/test';
import { watchConsole } from '../support/page';
import { openPlayground } from '../support/playground';

const NANO = 'patchSize=8&embedDim=32&numHeads=4&depth=1&batchSize=8&warmupSteps=5&evalEvery=10&evalCount=32&augment=basic';
const losses = (page: Page) => page.evaluate(() => window.q3r.history().map((r) => r.loss));
/** The newest kept state, once it is of that step. */
async function keptAt(page: Page, step: number): Promise<string> {
  await expect.poll(() => page.evaluate(async () => (await window.q3r.checkpoints())[0]?.step), { timeout: 30_000 }).toBe(step);
  return page.evaluate(async () => (await window.q3r.checkpoints())[0]!.key);
}
const refusal = (page: Page, bytes: number[]) =>
  page.evaluate(
    (data) =>
      window.q3r.loadCheckpoint(new Uint8Array(data)).then(
        () => 'loaded',
        (error: Error) => error.message,
      ),
    bytes,
  );

test('a run goes on in a later visit, after a crash, in another tab and from a file, bit for bit', async ({ page, context }) => {
  test.slow();
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&steps=200&svd=randomized&${NANO}`);

  await test.step('40 steps straight are 20, a reload and 20 more, bit for bit; the page offers the run again', async () => {
    await page.evaluate(() => window.q3r.step(40));
    const straight = await losses(page);
    await page.evaluate(() => window.q3r.reset());
    await page.evaluate(() => window.q3r.step(10));
    await page.evaluate(() => window.q3r.configure({ train: { evalCount: 48 } }));
    await page.evaluate(() => window.q3r.step(10));
    await keptAt(page, 20);

    // Another link than the run's: the kept run brings its own settings.
    await page.goto('about:blank');
    await openPlayground(page, '#v=1&patchSize=16&embedDim=16&batchSize=4');
    const offer = page.getByRole('region', { name: 'A run of an earlier visit' });
    await expect(offer).toContainText(/Run of AdamQ3R, .* on Shapes stopped at step 20, just now/);
    await offer.getByRole('button', { name: 'Resume' }).click();
    await expect(page.getByText('The run is back at step 20.')).toBeVisible({ timeout: 60_000 });
    await expect(offer).toBeHidden();
    await expect(page.getByTestId('step')).toHaveText('20');
    expect(await losses(page)).toEqual(straight.slice(0, 20));
    expect(await page.evaluate(() => window.q3r.shareUrl())).toContain('patchSize=8');
    await page.evaluate(() => window.q3r.step(20));
    expect(await losses(page)).toEqual(straight);
  });
  watch.expectQuiet();

  await test.step('after a crash of the worker the run goes on from what was kept', async () => {
    const before = await losses(page);
    await keptAt(page, 40);
    await page.evaluate(() => window.q3r.provoke('worker-crash').catch(() => undefined));
    await page.getByRole('button', { name: 'Resume from step 40' }).click();
    await expect(page.getByText('The run is back at step 40.')).toBeVisible({ timeout: 60_000 });
    await page.evaluate(() => window.q3r.step(1));
    expect((await losses(page)).slice(0, 40)).toEqual(before);
  });

  const other = await context.newPage();
  await test.step('two tabs: a run that is open in one is shown, and not touched, by the other', async () => {
    const key = await keptAt(page, 41);
    await openPlayground(other, `#v=1&steps=200&${NANO}`);
    const kept = () => other.evaluate(async () => (await window.q3r.checkpoints()).map((c) => [c.key, c.step, c.open]));
    expect(await kept()).toContainEqual([key, 41, true]);
    const refused = (call: 'resume' | 'deleteCheckpoint') =>
      other.evaluate(([name, k]) => (window.q3r[name] as (k: string) => Promise<unknown>)(k).catch((e: Error) => e.message), [
        call,
        key,
      ] as const);
    expect(await refused('resume')).toMatch(/open in another tab/);
    expect(await refused('deleteCheckpoint')).toMatch(/open in another tab/);
    // Both keep their own.
    await other.evaluate(() => window.q3r.step(3));
    await expect.poll(async () => (await kept())[0]).toEqual([expect.any(String), 3, false]);
    expect(await kept()).toContainEqual([key, 41, true]);
    await page.close();
    await other.evaluate((k) => window.q3r.resume(k), key);
    expect(await losses(other)).toHaveLength(41);
  });

  await test.step('a checkpoint goes through a file; one that does not fit leaves the run as it is, on a full device, too', async () => {
    await other.evaluate((link) => window.q3r.configure(link), `#v=1&steps=200&${NANO}`);
    await other.evaluate(() => window.q3r.reset());
    await other.evaluate(() => window.q3r.step(12));
    const straight = await losses(other);
    await other.evaluate(() => window.q3r.reset());
    await other.evaluate(() => window.q3r.step(4));
    await other.evaluate(() => window.q3r.configure({ train: { evalEvery: 7 } }));
    const bytes = await other.evaluate(async () => [...(await window.q3r.saveCheckpoint())]);
    const experiment = await other.evaluate(() => window.q3r.shareUrl());

    // Refused in the middle of a run, which goes on as if nothing had been asked.
    await other.evaluate(() => window.q3r.step(2));
    const damaged = bytes.slice();
    damaged[damaged.length - 5]! ^= 1;
    expect(await refusal(other, damaged)).toMatch(/damaged or was changed/);
    expect(await refusal(other, bytes.slice(0, 900))).toMatch(/cut off|header/);
    const weights = await other.evaluate(async () => [...(await window.q3r.exportWeights())]);
    expect(await refusal(other, weights)).toMatch(/holds weights, and no state of a run/);
    await other.evaluate(() => window.q3r.step(2));
    expect(await losses(other)).toEqual(straight.slice(0, 8));

    // From here on the device has no room for a second run beside the first.
    await other.evaluate(() => window.q3r.provoke('out-of-memory'));
    expect(await refusal(other, bytes)).toBe('loaded');
    expect(await losses(other)).toEqual(straight.slice(0, 4));
    expect(await other.evaluate(() => window.q3r.shareUrl())).toBe(experiment);
    await other.evaluate(() => window.q3r.step(8));
    expect(await losses(other)).toEqual(straight);
  });
});

test('pretrained weights come from the web or a file, and new runs of their model start from them', async ({ page, baseURL }) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&steps=200&${NANO}`);
  // Weights of another image size and another number of classes, under a prefix, as a training script would leave them.
  const file = await page.evaluate(async () => {
    const { q3r, golden } = window;
    const own = q3r.shareUrl();
    await q3r.configure({ model: { embedDim: 64, imageSize: 64, numClasses: 7 }, train: { seed: 9 } });
    const tensors = golden.parse((await q3r.exportWeights()).buffer as ArrayBuffer);
    await q3r.configure(own);
    return [...golden.write(Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`model.${name}`, tensor])))];
  });
  await page.route('**/vit.safetensors', (route) => route.fulfill({ body: Buffer.from(file), contentType: 'application/octet-stream' }));

  await page.getByRole('button', { name: 'Weights' }).click();
  await page.getByLabel('Or from the web').fill(`${baseURL}none/here.safetensors`);
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  // The server of the tests answers everything it does not know with the page itself.
  await expect(page.getByText(/answered with a web page, not with a file/)).toBeVisible();
  await page.getByRole('button', { name: 'Weights' }).click();
  await page.getByLabel('Or from the web').fill(`${baseURL}vit.safetensors`);
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await expect(page.getByText(/Weights of vit\.safetensors loaded/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText('Position embeddings interpolated from 8 × 8 to 4 × 4 patches.')).toBeVisible();
  await expect(page.getByText('The head for 7 classes is replaced by a fresh one for 10.')).toBeVisible();
  await expect(page.getByText(/1 assumed, the width \/ 64/)).toBeVisible();

  const qkv = () =>
    page.evaluate(async () => [
      ...window.golden.parse((await window.q3r.exportWeights()).buffer as ArrayBuffer)['blocks.0.attn.qkv.weight']!.data,
    ]);
  const loaded = await qkv();
  const original = await page.evaluate(
    (bytes) => [...window.golden.parse(new Uint8Array(bytes).buffer)['model.blocks.0.attn.qkv.weight']!.data],
    file,
  );
  expect(loaded).toEqual(original);
  // Another method, and back to step 0: still from these weights.
  await page.evaluate(() => window.q3r.configure({ method: { name: 'adamw' } }));
  await page.evaluate(() => window.q3r.step(2));
  expect(await qkv()).not.toEqual(original);
  await page.evaluate(() => window.q3r.reset());
  expect(await qkv()).toEqual(original);
  await page.getByRole('button', { name: 'Weights' }).click();
  await page.getByRole('button', { name: /Start from random weights again/ }).click();
  await page.evaluate(() => window.q3r.reset());
  expect(await qkv()).not.toEqual(original);

  // The same by the file chooser.
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Weights' }).click();
  await page.getByRole('button', { name: /Load checkpoint or weights/ }).click();
  await (await chooser).setFiles({ name: 'mine.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(file) });
  await expect(page.getByText(/Weights of mine\.safetensors loaded/)).toBeVisible({ timeout: 60_000 });
  expect(await qkv()).toEqual(original);
  watch.expectQuiet();
});
