import { expect, test, type Page } from '@playwright/test';
import { encode } from 'fast-png';
import { readFileSync } from 'node:fs';
import { expectAccessible } from '../support/accessible';
import { SOFTWARE_GPU_ARGS, QUIET_ARGS, chromiumPath } from '../support/chromium.mjs';
import { watchConsole } from '../support/page';
import { openPlayground } from '../support/playground';

const NANO = '#v=1&patchSize=8&embedDim=32&numHeads=2&depth=2&batchSize=16&warmupSteps=4&evalCount=96&evalEvery=0&steps=400';

test.use({
  launchOptions: {
    executablePath: chromiumPath(),
    args: [...QUIET_ARGS, ...SOFTWARE_GPU_ARGS, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  },
});

test('samples, confusion and attention of a run, whole and cut, and of the visitor’s own picture; the run is left alone', async ({
  page,
}) => {
  const watch = watchConsole(page);
  await openPlayground(page, NANO);
  await page.getByRole('button', { name: 'See the model' }).click();
  const view = page.getByRole('region', { name: 'See the model' });
  await expect(view).toContainText('appear here once there is a run');
  await page.evaluate(() => window.q3r.step(12));
  const weights = await page.evaluate(async () => Array.from((await window.q3r.exportWeights()).slice(-2000)));

  // Samples: the page's figures are those of the engine, and the wrong ones are marked in words.
  await expect(view.getByRole('listitem').first()).toBeVisible({ timeout: 60_000 });
  await expect(view.locator('.see-step')).toHaveText('step 12');
  const confusion = await page.evaluate(() => window.q3r.confusion());
  expect(confusion.count).toBe(96);
  const right = confusion.matrix.reduce((sum, row, i) => sum + row[i]!, 0);
  expect(right / 96).toBeCloseTo(confusion.accuracy, 6);
  await expect(view.locator('.see-figure', { hasText: 'Whole model' })).toContainText(`${((100 * right) / 96).toFixed(1)}\u2009%`);
  await view.getByRole('button', { name: 'Wrong only' }).click();
  await expect(view.getByRole('status')).toHaveText(`${96 - right} of 96 images`);
  await view.getByRole('combobox', { name: 'Order' }).selectOption('least sure first');
  await expect(view.locator('.see-verdict', { hasText: 'wrong:' }).first()).toBeVisible();
  await expect(view.locator('.see-verdict', { hasText: /^right$/ })).toHaveCount(0);
  await expectAccessible(page, '.see');

  // A cell of the matrix opens its images.
  await view.getByRole('button', { name: 'Confusion' }).click();
  const flat = confusion.matrix.flatMap((row, r) => row.map((n, c) => ({ r, c, n })));
  const { r, c, n } = flat.sort((a, b) => b.n - a.n)[0]!;
  await view.getByRole('button', { name: new RegExp(`^${confusion.classes[r]} taken for ${confusion.classes[c]}: ${n} images`) }).click();
  await expect(view.getByRole('status')).toHaveText(`${n} of 96 images`);
  await view.getByRole('button', { name: 'Confusion' }).click();
  const download = page.waitForEvent('download');
  await view.getByRole('button', { name: 'Save the confusion matrix as CSV' }).click();
  const csv = readFileSync(await (await download).path(), 'utf8').split('\r\n');
  expect(csv[1 + r]).toBe([confusion.classes[r], ...confusion.matrix[r]!].join(','));
  await expectAccessible(page, '.see');

  // Attention of a test image, by keyboard; then the cut moves, and only its side follows.
  await view.getByRole('button', { name: 'Samples' }).click();
  await view
    .getByRole('button', { name: 'Show all' })
    .or(view.getByRole('button', { name: 'All', exact: true }))
    .first()
    .click();
  await view.getByRole('listitem').first().getByRole('button').click();
  const maps = view.getByRole('grid', { name: /^Whole model/ });
  await expect(maps.getByRole('gridcell')).toHaveCount(2 * 4, { timeout: 60_000 });
  await expect(maps.getByRole('gridcell', { selected: true })).toHaveAccessibleName(/^Layer 1, mean: largest \d/);
  await maps.getByRole('gridcell', { selected: true }).press('ArrowUp');
  await page.keyboard.press('ArrowLeft');
  await expect(maps.getByRole('gridcell', { selected: true })).toHaveAccessibleName(/^Layer 0, head 1/);
  await expect(view.getByRole('status')).toContainText('in layer 0, head 1');
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await expect(maps.getByRole('gridcell', { selected: true })).toHaveAccessibleName(/^Layer 1, rollout/);
  await expect(view.getByRole('status')).toContainText('Attention rollout of the class token in layers 0 to 1 together');
  const cut = view.getByRole('slider', { name: 'Parameters kept by the cut' });
  await cut.press('ArrowRight');
  await expect(view.getByRole('grid', { name: /^Cut to 21/ })).toBeVisible({ timeout: 30_000 });
  await expectAccessible(page, '.see');

  // The API gives what the page shows: rows over the tokens sum to one.
  const sums = await page.evaluate(async () => {
    const images = new Float32Array(2 * 3 * 32 * 32).map((_, i) => Math.sin(i));
    const { attention, rollout, layers, heads, tokens, query } = await window.q3r.attention(images, { fraction: 0.3 });
    const both = [...attention, ...rollout!];
    const rows = Array.from({ length: both.length / tokens }, (_, i) =>
      both.slice(i * tokens, (i + 1) * tokens).reduce((a, b) => a + b, 0),
    );
    return { rows, layers, heads, tokens, query };
  });
  expect(sums).toMatchObject({ layers: 2, heads: 2, tokens: 17, query: 'class' });
  expect(sums.rows).toHaveLength(2 * 2 * 2 + 2 * 2);
  for (const sum of sums.rows) expect(sum).toBeCloseTo(1, 4);
  await roofline(page);
  await ownPicture(page);
  expect(await page.evaluate(async () => Array.from((await window.q3r.exportWeights()).slice(-2000)))).toEqual(weights);
  watch.expectQuiet();
});

/** The other view in the stage's place: the device and the kernels of a step, measured beside the run that stands. */
async function roofline(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^GPU/ }).click();
  const view = page.getByRole('region', { name: 'Roofline', exact: true });
  await expect(page.getByRole('region', { name: 'See the model' })).toHaveCount(0);
  await view.getByRole('button', { name: 'Measure this device' }).click();
  await view.getByRole('button', { name: 'Cancel' }).click();
  await expect(view.getByRole('button', { name: 'Measure this device' })).toBeVisible({ timeout: 30_000 });
  const report = await page.evaluate(() => window.q3r.roofline({ seconds: 0 }));
  expect(report).toMatchObject({ clock: 'timestamps', gathered: true, software: true });
  const points = view.getByRole('group', { name: /^Roofline/ }).getByRole('button');
  await expect(points).toHaveCount(report.kernels.filter(({ flops, milliseconds }) => flops > 0 && milliseconds > 0).length);

  // One tab stop on the slowest; the arrow keys lead on, and what is pointed at stands above the chart and is marked in the table.
  const slowest = [...report.kernels].filter(({ flops }) => flops > 0).sort((a, b) => b.milliseconds - a.milliseconds);
  const short = (name: string) => name.replace('blocks.*.', '');
  await view
    .getByRole('group', { name: /^Roofline/ })
    .locator('[tabindex="0"]')
    .focus();
  await expect(view.locator('.roof-readout')).toContainText(short(slowest[0]!.name));
  await page.keyboard.press('ArrowRight');
  await expect(view.locator('.roof-readout')).toContainText(short(slowest[1]!.name));
  await expect(view.locator('tr[data-at] th')).toHaveText(short(slowest[1]!.name));

  const table = view.getByRole('table');
  await expect(table.locator('tbody tr')).toHaveCount(report.kernels.length);
  await table.getByRole('button', { name: 'GFLOP', exact: true }).click();
  await expect(table.getByRole('columnheader', { name: 'GFLOP', exact: true })).toHaveAttribute('aria-sort', 'descending');
  const most = [...report.kernels].sort((a, b) => b.flops - a.flops)[0]!;
  await expect(table.locator('tbody th').first()).toHaveText(short(most.name));

  const download = page.waitForEvent('download');
  await view.getByRole('button', { name: 'Save the roofline' }).click();
  await page.getByRole('button', { name: 'Roofline as CSV' }).click();
  const csv = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\r\n');
  expect(csv).toHaveLength(1 + report.kernels.length);
  await expectAccessible(page, '.roof');
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await page.setViewportSize(size);
  await view.getByRole('button', { name: 'Back to the spectra' }).click();
  await expect(view).toHaveCount(0);
}

/** The visitor’s own picture: a file, the clipboard, a drop and the camera; what is no picture is said to be none. */
async function ownPicture(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'See the model' }).click();
  const view = page.getByRole('region', { name: 'See the model' });
  await view.getByRole('button', { name: 'Attention', exact: true }).click();
  const caption = view.locator('.see-trio figcaption').first();
  await expect(caption).toHaveText(/^Test image \d+$/, { timeout: 60_000 });
  const at = Number((await caption.textContent())!.replace(/\D/g, ''));

  const red = Buffer.from(
    encode({ width: 60, height: 40, channels: 3, depth: 8, data: Uint8Array.from({ length: 7200 }, (_, i) => (i % 3 ? 20 : 220)) }),
  );
  const chooser = page.waitForEvent('filechooser');
  await view.getByRole('button', { name: 'File' }).click();
  await (await chooser).setFiles({ name: 'red.png', mimeType: 'image/png', buffer: red });
  await expect(caption).toHaveText('red.png');
  await expect(view).toContainText('Its centre, at 32 × 32 pixels');

  for (const [how, name] of [
    ['paste', 'pasted picture'],
    ['drop', 'dropped.png'],
  ] as const) {
    await page.evaluate(
      ({ bytes, how }) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(bytes)], 'dropped.png', { type: 'image/png' }));
        document.body.dispatchEvent(
          how === 'paste'
            ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
            : new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }),
        );
      },
      { bytes: [...red], how },
    );
    await expect(caption).toHaveText(name);
  }

  await view.getByRole('button', { name: 'Camera' }).click();
  await view.getByRole('button', { name: 'Take picture' }).click();
  await expect(caption).toHaveText('camera');
  await expect(view.locator('video')).toHaveCount(0);

  const wrong = page.waitForEvent('filechooser');
  await view.getByRole('button', { name: 'File' }).click();
  await (await wrong).setFiles({ name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') });
  await expect(view.getByRole('alert')).toContainText('The picture could not be read');
  await view.getByRole('button', { name: 'Next test image' }).click();
  await expect(caption).toHaveText(`Test image ${at + 1}`);
  await expect(view.getByRole('alert')).toHaveCount(0);

  // Leave is refused: the page says what to do.
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  });
  await view.getByRole('button', { name: 'Camera' }).click();
  await expect(view.getByRole('alert')).toContainText('not allowed to use the camera');

  await page.setViewportSize({ width: 360, height: 700 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(await view.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
  await view.getByRole('button', { name: 'Back to the spectra' }).click();
  await expect(page.getByRole('heading', { name: 'Spectrum wall' })).toBeVisible();
}
