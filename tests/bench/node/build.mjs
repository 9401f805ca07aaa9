/**
 * `npm run bench:gpu [-- SECTION…]`: the sections that need no page, in Node on Dawn's package `webgpu` (`npm i --no-save webgpu`), which
 * reaches a graphics card through its driver without a browser; and the same training step in PyTorch where there is one with CUDA.
 *   BENCH_OUT   a folder for the built program; with it nothing is run. The folder needs only Node and, beside the program, a folder
 *               `webgpu` with that package: `node FOLDER/bench.mjs` then works without a network.
 *   BENCH_JSON  a file that receives the tables, too.
 *   DAWN_FLAGS  more flags for Dawn, separated by semicolons.
 */
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { ROOT, run } from '../../support/run.mjs';

const here = join(ROOT, 'tests', 'bench', 'node');
// Beside node_modules, so that the package is found from there.
const outDir = process.env.BENCH_OUT ? resolve(process.env.BENCH_OUT) : join(ROOT, 'node_modules', '.cache', 'bench-node');

await build({
  root: ROOT,
  configFile: false,
  logLevel: 'error',
  define: { __APP_VERSION__: JSON.stringify('bench'), 'process.env.NODE_ENV': JSON.stringify('production') },
  build: {
    ssr: join(here, 'main.ts'),
    outDir,
    emptyOutDir: false,
    copyPublicDir: false,
    minify: false,
    target: 'esnext',
    rolldownOptions: { output: { entryFileNames: 'bench.mjs', chunkFileNames: 'bench-[name].mjs' } },
  },
  ssr: { noExternal: true },
});
copyFileSync(join(here, 'torchStep.py'), join(outDir, 'torchStep.py'));
if (process.env.BENCH_OUT) console.log(outDir);
else process.exitCode = await run(process.execPath, [join(outDir, 'bench.mjs'), ...process.argv.slice(2)]);
