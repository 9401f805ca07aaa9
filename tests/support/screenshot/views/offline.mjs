import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../run.mjs';
import { TINY, waitForStep } from './acts.mjs';

const WORKER = join(ROOT, 'dist', 'sw.js');

/** The kept page without a network, a newer version of it, and the run of an earlier visit. */
export const offline = {
  name: 'offline',
  shots: ['offline', 'update', 'kept'],
  async run({ open, shot }) {
    const page = await open(`#v=1&${TINY}&steps=4000&evalEvery=0`, { query: '?offline' });
    await page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === 'activated', undefined, {
      timeout: 60_000,
    });
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForFunction(() => 'q3r' in window, undefined, { timeout: 60_000 });
    await page.evaluate(() => window.q3r.memory());
    await shot('offline', page);
    await page.context().setOffline(false);
    await page.evaluate(() => window.q3r.start());
    await waitForStep(page, 20);
    const before = readFileSync(WORKER, 'utf8');
    try {
      writeFileSync(WORKER, `${before}\n// another version\n`);
      await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
      const note = page.getByRole('status').filter({ hasText: 'Update ready' });
      await note.waitFor();
      await shot('update', page);
      await note.getByRole('button', { name: 'Reload' }).click();
      await page.getByRole('region', { name: 'A run of an earlier visit' }).waitFor({ timeout: 60_000 });
      await shot('kept', page);
    } finally {
      writeFileSync(WORKER, before);
    }
  },
};
