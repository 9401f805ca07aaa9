/**
 * `npm run screenshot [-- STEPS [FOLDER]]`: pictures of a real run on the built page, light and dark, 1440 × 900, for the README.
 * Builds first. SHOT_CHROMIUM_ARGS chooses the adapter; the software adapter by default.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS } from './chromium.mjs';
import { ensureChromium } from './ensureChromium.mjs';
import { freePort } from './freePort.mjs';
import { ROOT, run } from './run.mjs';

const steps = Number(process.argv[2] ?? 200);
const folder = resolve(process.argv[3] ?? join(ROOT, 'public', 'screenshots'));
if (!Number.isInteger(steps) || steps < 1) throw new Error(`STEPS must be a whole number of at least 1, not ${process.argv[2]}`);

const { path } = await ensureChromium();
if ((await run('vite', ['build'])) !== 0) process.exit(1);
mkdirSync(folder, { recursive: true });
const port = await freePort();
const server = await preview({ root: ROOT, logLevel: 'warn', preview: { host: '127.0.0.1', port, strictPort: true } });
const adapter = process.env.SHOT_CHROMIUM_ARGS?.split(/\s+/).filter(Boolean) ?? SOFTWARE_GPU_ARGS;
const browser = await chromium.launch({ executablePath: path, args: [...QUIET_ARGS, ...adapter] });
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  page.on('pageerror', (error) => console.error(`page: ${error.message}`));
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction(() => 'q3r' in window, undefined, { timeout: 60_000 });
  await page.evaluate(() => window.q3r.start());
  await page.waitForFunction((n) => window.q3r.history().length >= n, steps, { timeout: 30 * 60_000, polling: 1000 });
  await page.evaluate(() => window.q3r.pause());
  await page.evaluate(() => window.q3r.truncate([0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]));
  // The last series and spectra reach the charts at most 200 ms after the pause; paint follows.
  await page.waitForTimeout(1500);
  for (const [colorScheme, name] of [
    ['light', 'run.png'],
    ['dark', 'run-dark.png'],
  ]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(folder, name) });
    console.log(join(folder, name));
  }
} finally {
  await browser.close();
  await server.close();
}
