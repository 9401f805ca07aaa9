import { measure, train, TINY } from './acts.mjs';

const PARTS = [
  ['share-link', 'Link'],
  ['share-results', 'With results'],
  ['share-file', 'Run file'],
  ['share-embed', 'Embed'],
  ['share-teacher', 'Teacher link'],
  ['share-qr', 'QR code'],
];

/** All ways to hand a run on, and the page that a teacher's link opens. */
export const share = {
  name: 'share',
  shots: ['share-menu', ...PARTS.map(([name]) => name), 'qr-large', 'teacher-page', 'command'],
  async run({ open, shot }) {
    const page = await open(`#v=1&${TINY}&steps=80&evalEvery=20`, { clipboard: true });
    await train(page, {});
    await measure(page);
    const menu = page.getByRole('button', { name: /^Link with results, run file/ });
    await menu.click();
    await shot('share-menu', page, { sizes: ['1440', '390'] });
    await page.getByRole('button', { name: /^Run file/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Share' });
    for (const [name, part] of PARTS) {
      await dialog.getByRole('tab', { name: part, exact: true }).click();
      if (part === 'Teacher link') await dialog.getByRole('button', { name: 'Only λ' }).click();
      await shot(name, page);
    }
    await dialog.getByRole('button', { name: 'Enlarge for the projector' }).click();
    await shot('qr-large', page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await menu.click();
    await page.getByRole('button', { name: /^Paste a command/ }).click();
    await shot('command', page);
    const teacher = await open(`#v=1&${TINY}&steps=80&only=lambda&hide=presets,command,weights,compare`);
    await train(teacher, { method: { lambda: 2 } });
    await shot('teacher-page', teacher);
  },
};
