/**
 * `npm run effect [-- DATA [SEEDS [FILE]]]`: trains the preset that the page offers to a software adapter, dense and with AdamQ3R, on the built
 * page, truncates both, and prints accuracy against the parameters kept, seed by seed. DATA is `shapes` or `cifar10` (then FILE is its
 * archive). Builds first; BENCH_CHROMIUM_ARGS chooses the adapter.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { chromium } from 'playwright';
import { preview } from 'vite';
import { QUIET_ARGS, SOFTWARE_GPU_ARGS } from '../support/chromium.mjs';
import { ensureChromium } from '../support/ensureChromium.mjs';
import { freePort } from '../support/freePort.mjs';
import { ROOT, run } from '../support/run.mjs';

const [dataset = 'shapes', seeds = '1,2,3', file] = process.argv.slice(2);
const SHARES = [0.1, 0.15, 0.2, 0.3, 0.4];
const METHODS = ['adamw', 'adamq3r'];

const { path } = await ensureChromium();
if ((await run('vite', ['build', '--outDir', '/tmp/q3r-effect'])) !== 0) process.exit(1);
const port = await freePort();
const server = await preview({
  root: ROOT,
  build: { outDir: '/tmp/q3r-effect' },
  logLevel: 'warn',
  preview: { host: '127.0.0.1', port, strictPort: true },
});
const adapter = process.env.BENCH_CHROMIUM_ARGS?.split(/\s+/).filter(Boolean) ?? SOFTWARE_GPU_ARGS;
const browser = await chromium.launch({ executablePath: path, args: [...QUIET_ARGS, ...adapter] });
const percent = (x) => (100 * x).toFixed(1);
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`page: ${error.message}`));
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction(() => 'q3r' in window, undefined, { timeout: 60_000 });
  if (file) {
    const [bytes, name] = [readFileSync(file).toString('base64'), basename(file)];
    await page.evaluate(
      async ([text, as]) => {
        const blob = await (await fetch(`data:application/octet-stream;base64,${text}`)).blob();
        await window.q3r.loadData([new File([blob], as)]);
      },
      [bytes, name],
    );
  }
  console.log(`| seed | technique | full | ${SHARES.map((p) => `${Math.round(100 * p)} % kept`).join(' | ')} |`);
  console.log(`| ---- | --------- | ---- | ${SHARES.map(() => '---').join(' | ')} |`);
  for (const seed of seeds.split(',').map(Number))
    for (const name of METHODS) {
      const started = Date.now();
      const { full, cuts } = await page.evaluate(
        async ([data, method, number, shares]) => {
          const { train } = await window.q3r.configure({
            dataset: data,
            method: { name: method },
            train: { seed: number, evalEvery: 0, evalCount: 2000 },
          });
          for (let done = 0; done < train.steps; done += 250) await window.q3r.step(Math.min(250, train.steps - done));
          const rows = await window.q3r.truncate(shares, { count: 2000 });
          return { full: (await window.q3r.evaluate()).accuracy, cuts: rows.map((cut) => cut.accuracy) };
        },
        [dataset, name, seed, SHARES],
      );
      console.log(`| ${seed} | ${name} | ${percent(full)} | ${cuts.map(percent).join(' | ')} |`);
      console.error(`${((Date.now() - started) / 1000).toFixed(0)} s`);
    }
} finally {
  await browser.close();
  await server.close();
}
