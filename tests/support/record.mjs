/**
 * `npm run record [-- ADDRESS]`: trains the nano preset to its end, dense and with AdamQ3R, measures both truncation curves, and writes the
 * recordings that the page ships: public/runs/*.q3r.json and their list. Uses the built page, or the running page at ADDRESS.
 * SHOT_CHROMIUM_ARGS chooses the adapter; the software adapter by default.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS } from './chromium.mjs';
import { ensureChromium } from './ensureChromium.mjs';
import { freePort } from './freePort.mjs';
import { ROOT, run } from './run.mjs';

/** Spectra kept of a run, so that a file stays below 350 kB. */
const FRAMES = 36;
const SHARES = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const RUNS = [
  { name: 'dense', label: 'Dense AdamW', method: { name: 'adamw' } },
  { name: 'adamq3r', label: 'AdamQ3R', method: { name: 'adamq3r' } },
];

const { path } = await ensureChromium();
let address = process.argv[2];
let server;
if (!address) {
  if ((await run('vite', ['build'])) !== 0) process.exit(1);
  const port = await freePort();
  server = await preview({ root: ROOT, logLevel: 'warn', preview: { host: '127.0.0.1', port, strictPort: true } });
  address = `http://127.0.0.1:${port}/`;
}
const adapter = process.env.SHOT_CHROMIUM_ARGS?.split(/\s+/).filter(Boolean) ?? SOFTWARE_GPU_ARGS;
const browser = await chromium.launch({ executablePath: path, args: [...QUIET_ARGS, ...adapter] });
const folder = join(ROOT, 'public', 'runs');
mkdirSync(folder, { recursive: true });
const list = [];
try {
  for (const { name, label, method } of RUNS) {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(`page: ${error.message}`));
    await page.goto(address);
    await page.waitForFunction(() => 'q3r' in window, undefined, { timeout: 60_000 });
    const { train } = await page.evaluate((method) => window.q3r.configure({ method }), method);
    await page.evaluate(() => window.q3r.start());
    await page.waitForFunction((n) => window.q3r.history().length >= n, train.steps, { timeout: 30 * 60_000, polling: 1000 });
    await page.evaluate((shares) => window.q3r.truncate(shares), SHARES);
    // The last spectra and the curve reach the page a moment after the answer.
    await page.waitForTimeout(2000);
    const text = await page.evaluate((frames) => window.q3r.exportRun(undefined, frames), FRAMES);
    if (!text) throw new Error(`${name}: there is no run to export`);
    const gpu = await page.evaluate(() => window.document.querySelector('.gpu .name')?.textContent ?? '');
    const date = new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
    const file = `${name}.q3r.json`;
    writeFileSync(join(folder, file), text);
    list.push({
      file,
      name: `${label}, ViT-Nano/8 on Shapes`,
      label: `${label}, ${train.steps.toString().replace(/\B(?=(\d{3})+$)/g, '\u2009')} steps on ${gpu || 'a software adapter'}, ${date}`,
    });
    console.log(`${file}: ${Math.round(text.length / 1000)} kB`);
    await page.close();
  }
  writeFileSync(join(folder, 'index.json'), `${JSON.stringify(list, null, 2)}\n`);
} finally {
  await browser.close();
  await server?.close();
}
