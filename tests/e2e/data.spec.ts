import { expect, test, type Page } from '@playwright/test';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expectAccessible } from '../support/accessible';
import { openPlayground } from '../support/playground';
import { watchConsole } from '../support/page';

const NANO = 'patchSize=8&embedDim=32&numHeads=2&depth=1&batchSize=4&warmupSteps=0&evalCount=16&evalEvery=0';
const COLOURS = { cherry: [200, 30, 40], lime: [120, 210, 60], plum: [90, 40, 130] } as const;

/** Files of one folder per class, with images of several sizes; limes are fewer. */
function fruitFiles(): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = { 'fruit/readme.txt': new TextEncoder().encode('not an image') };
  for (const [name, colour] of Object.entries(COLOURS))
    for (let i = 0; i < (name === 'lime' ? 6 : 12); i++) {
      const [width, height] = [40 + 4 * i, 36];
      const data = Uint8Array.from({ length: width * height * 3 }, (_, p) => colour[p % 3]! + ((p * 7 + i * 31) % 40));
      files[`fruit/${name}/${i}.png`] = new Uint8Array(encode({ width, height, channels: 3, depth: 8, data }));
    }
  files['fruit/plum/broken.png'] = new Uint8Array(200).fill(7);
  return files;
}

/** The same in a folder on disk, without one class if wanted; its path. */
function fruitFolder(at: string, without?: string): string {
  for (const [name, bytes] of Object.entries(fruitFiles())) {
    if (without && name.includes(without)) continue;
    mkdirSync(join(at, dirname(name)), { recursive: true });
    writeFileSync(join(at, name), bytes);
  }
  return join(at, 'fruit');
}

/** Drops files on the page, as a visitor would. */
async function drop(page: Page, name: string, content: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([file, base64]) => {
      const out = new DataTransfer();
      out.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], file));
      return out;
    },
    [name, content.toString('base64')] as const,
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

test('the visitor’s own images: asked for, dropped or chosen as a folder or a zip, trained on, and there after a reload', async ({
  page,
}, info) => {
  const watch = watchConsole(page);
  await openPlayground(page, `#v=1&augment=basic&steps=50&${NANO}`);
  await page.getByText('Data', { exact: true }).first().click();
  const rail = page.getByRole('region', { name: 'Experiment' });

  await test.step('without files, the choice says what to drop; digits take a patch that divides 28', async () => {
    await rail.getByRole('radio', { name: /Your images/ }).check();
    await expect(page.getByRole('button', { name: 'Play', exact: true }).first()).toBeDisabled();
    const message = await page.evaluate(() => window.q3r.configure({ dataset: 'folder' }).catch((error: Error) => error.message));
    expect(message).toMatch(/drop a folder or a \.zip with one sub-folder of images per class/);
    await rail.getByRole('radio', { name: /MNIST/ }).check();
    await expect(page.getByRole('status').filter({ hasText: 'Patches of 8 do not divide images of 28' })).toContainText('now 7');
  });

  await test.step('a folder is dropped, or chosen, with all that is in it', async () => {
    const folder = fruitFolder(info.outputPath('images'));
    const other = fruitFolder(info.outputPath('others'), 'lime');
    // What the browser makes of a folder that is dragged from the desktop; a DataTransfer made by a script holds no folders.
    const cdp = await page.context().newCDPSession(page);
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await cdp.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data });
    await expect(rail.getByRole('radio', { name: /Your images/ })).toBeChecked();
    await expect(rail).toContainText('25 training and 5 test images, from your files.');

    const chooser = page.waitForEvent('filechooser');
    await rail.getByRole('button', { name: 'Choose a folder' }).click();
    await (await chooser).setFiles(other);
    await expect(rail).toContainText('20 training and 4 test images, from your files.');
    await expect(rail).toContainText('2 classes');
  });

  await test.step('a dropped zip of class folders trains, shows its classes and samples, and is there after a reload', async () => {
    await page.evaluate((link) => window.q3r.configure(link), `#v=1&augment=basic&steps=50&precision=mixed&${NANO}`);
    await drop(page, 'fruit.zip', Buffer.from(zipSync(fruitFiles())));
    await expect(rail.getByRole('radio', { name: /Your images/ })).toBeChecked();
    await expect(rail).toContainText('25 training and 5 test images, from your files.');
    await expect(rail).toContainText('3 classes, from 5 (lime) to 10 (cherry) training images');
    await expect(rail.getByRole('list', { name: 'Classes' })).toContainText('plum');
    await expect(page.getByRole('alert').filter({ hasText: '1 of 31 files' })).toContainText(
      '1 of 31 files could not be read as images and were left out: plum/broken.png.',
    );

    expect(await page.evaluate(() => window.q3r.step(3).then((records) => records.map((r) => Number.isFinite(r.loss))))).toEqual([
      true,
      true,
      true,
    ]);
    await rail.getByText('Samples as the model sees them').click();
    const samples = rail.getByRole('list', { name: 'Augmented training images' });
    await expect(samples.getByRole('img')).toHaveCount(12);
    const shown = () => samples.getByRole('img').evaluateAll((all) => all.map((image) => image.getAttribute('aria-label')));
    const first = await shown();
    expect(first.every((name) => name !== null && name in { cherry: 0, lime: 0, plum: 0 })).toBe(true);
    await rail.getByRole('button', { name: 'Draw again' }).click();
    await expect(rail).toContainText('Batch 2 of seed 1');
    expect(await page.evaluate(() => window.q3r.step(1).then(([record]) => record!.step))).toBe(4);
    // All of the form in sight, with what stands in it for mixed precision only.
    await expect(rail.getByText(/^Activations and their gradients in half precision, .* The loss is scaled by 8.192 now/)).toBeVisible();
    await expectAccessible(page, '#experiment');

    await page.reload();
    await page.evaluate(() => window.q3r.configure({ dataset: 'folder' }));
    expect(await page.evaluate(() => window.q3r.step(1).then(([record]) => Number.isFinite(record!.loss)))).toBe(true);
  });
  watch.expectQuiet();
});
