/**
 * `npm run bench [-- SECTION…]`: builds the page and the bench page, opens the latter in Chromium and prints one table per section.
 *   BENCH_CHROMIUM_ARGS  flags that choose the adapter, separated by spaces; the software adapter by default.
 *                        On a computer with a graphics card, `--enable-unsafe-webgpu --enable-features=Vulkan` reaches it on Linux.
 *   BENCH_JSON           a file that receives the tables, too.
 *   BENCH_TRACE          a file that receives a trace of the bench page for Chromium's performance tools; the script then keeps its names.
 * A section may take an argument after a colon, `scaling:width,depth`.
 * The sections `start` and `interactive` open browsers of their own; all others run in the bench page.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS } from '../support/chromium.mjs';
import { ensureChromium } from '../support/ensureChromium.mjs';
import { freePort } from '../support/freePort.mjs';
import { ROOT } from '../support/run.mjs';
import * as interactive from './interactive.mjs';
import * as start from './start.mjs';
import { table } from './table.mjs';

/** Sections that open browsers of their own. */
const OWN = { start, interactive };

const outDir = join(ROOT, 'node_modules', '.cache', 'bench');
const input = { main: join(ROOT, 'index.html'), bench: join(ROOT, 'tests', 'bench', 'index.html') };

const { path, version } = await ensureChromium();
await build({
  root: ROOT,
  logLevel: 'error',
  build: { outDir, emptyOutDir: true, copyPublicDir: false, minify: !process.env.BENCH_TRACE, rolldownOptions: { input } },
});
const port = await freePort();
const server = await preview({ root: ROOT, logLevel: 'warn', build: { outDir }, preview: { host: '127.0.0.1', port, strictPort: true } });
const adapter = process.env.BENCH_CHROMIUM_ARGS?.split(/\s+/).filter(Boolean) ?? SOFTWARE_GPU_ARGS;
const args = [...QUIET_ARGS, ...adapter];
const browser = await chromium.launch({ executablePath: path, args });
try {
  const page = await browser.newPage({ viewport: { width: 1500, height: 1000 } });
  page.setDefaultTimeout(0);
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`page: ${message.text()}`);
  });
  page.on('pageerror', (error) => console.error(`page: ${error.stack ?? error.message}`));
  await page.goto(`http://127.0.0.1:${port}/tests/bench/`);
  await page.waitForFunction(() => 'bench' in window, undefined, { timeout: 30_000 });
  const device = await page.evaluate(async () => {
    const found = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
    return found ? [found.info.vendor, found.info.architecture, found.info.device, found.info.description].filter(Boolean).join(' ') : '';
  });
  if (!device) throw new Error(`No WebGPU adapter with ${adapter.join(' ') || 'no flags'}; choose one by BENCH_CHROMIUM_ARGS.`);
  console.log(`Chromium ${version}, ${device}`);
  const all = [...(await page.evaluate(() => window.bench.names)), ...Object.keys(OWN)];
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !all.includes(name.replace(/:.*/, '')));
  if (unknown.length > 0) throw new Error(`No section ${unknown.join(', ')}; there are ${all.join(', ')}.`);
  const results = {};
  const trace = process.env.BENCH_TRACE;
  if (trace)
    await browser.startTracing(page, {
      path: trace,
      categories: ['disabled-by-default-devtools.timeline', 'devtools.timeline', 'v8.execute', 'disabled-by-default-v8.cpu_profiler'],
    });
  for (const name of wanted.length > 0 ? wanted : all) {
    process.stderr.write(`… ${name}\n`);
    try {
      const { title, note, rows } =
        name in OWN
          ? { ...OWN[name], rows: await OWN[name].run({ path, args, url: `http://127.0.0.1:${port}/` }) }
          : await page.evaluate((section) => window.bench.run(section), name);
      results[name] = { title, rows };
      console.log(`\n${title}\n${table(rows)}${note ? `\n${note}` : ''}`);
    } catch (error) {
      process.exitCode = 1;
      console.error(
        `\n${name} failed: ${String(error.message ?? error)
          .split('\n')
          .slice(0, 6)
          .join('\n')}`,
      );
    }
  }
  if (trace) await browser.stopTracing();
  if (process.env.BENCH_JSON) writeFileSync(process.env.BENCH_JSON, `${JSON.stringify({ version, device, results }, null, 2)}\n`);
} catch (error) {
  process.exitCode = 1;
  console.error(String(error.message ?? error));
} finally {
  await browser.close();
  await server.close();
}
