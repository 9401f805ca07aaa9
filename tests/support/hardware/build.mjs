/**
 * `npm run test:gpu [-- PART…]`: the tests of kernels and engine in Node on Dawn's package `webgpu` (`npm i --no-save webgpu`), and with it
 * on a graphics card, without a browser. PART keeps the files whose path holds it.
 *   BENCH_OUT   a folder for the built program; with it nothing is run: `node FOLDER/tests.mjs`, with the package `webgpu` beside it.
 *   DAWN_FLAGS  more flags for Dawn, separated by semicolons.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { buildForNode } from '../nodeProgram.mjs';
import { ROOT, run } from '../run.mjs';

const here = join(ROOT, 'tests', 'support', 'hardware');
const golden = join(ROOT, 'tests', 'golden');

/** Golden files are read from the folder beside the program: see `install` in main.ts. */
const goldenFiles = {
  name: 'golden-files',
  enforce: 'pre',
  load: (id) =>
    id.startsWith(golden) && id.endsWith('?url') ? `export default ${JSON.stringify(`golden:${id.slice(golden.length + 1, -4)}`)}` : null,
};

const outDir = await buildForNode({
  folder: here,
  name: 'tests',
  version: 'test',
  define: { __CIFAR_DIR__: '""' },
  plugins: [goldenFiles],
  alias: { vitest: join(here, 'harness.ts') },
});
cpSync(golden, join(outDir, 'golden'), { recursive: true });
if (process.env.BENCH_OUT) console.log(outDir);
else process.exitCode = await run(process.execPath, [join(outDir, 'tests.mjs'), ...process.argv.slice(2)]);
