/**
 * `npm run test:gpu [-- PART…]`: the tests of kernels and engine in Node on Dawn's package `webgpu` (`npm i --no-save webgpu`), and with it
 * on a graphics card, without a browser. PART keeps the files whose path holds it.
 *   BENCH_OUT   a folder for the built program; with it nothing is run: `node FOLDER/tests.mjs`, with the package `webgpu` beside it.
 *   DAWN_FLAGS  more flags for Dawn, separated by semicolons.
 */
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { ROOT, run } from '../run.mjs';

const here = join(ROOT, 'tests', 'support', 'hardware');
const golden = join(ROOT, 'tests', 'golden');
// Beside node_modules, so that the package is found from there.
const outDir = process.env.BENCH_OUT ? resolve(process.env.BENCH_OUT) : join(ROOT, 'node_modules', '.cache', 'hardware-tests');

/** Golden files are read from the folder beside the program: see `install` in main.ts. */
const goldenFiles = {
  name: 'golden-files',
  enforce: 'pre',
  load: (id) =>
    id.startsWith(golden) && id.endsWith('?url') ? `export default ${JSON.stringify(`golden:${id.slice(golden.length + 1, -4)}`)}` : null,
};

await build({
  root: ROOT,
  configFile: false,
  logLevel: 'error',
  define: { __APP_VERSION__: JSON.stringify('test'), __CIFAR_DIR__: '""', 'process.env.NODE_ENV': JSON.stringify('production') },
  plugins: [goldenFiles],
  resolve: { alias: { vitest: join(here, 'harness.ts') } },
  build: {
    ssr: join(here, 'main.ts'),
    outDir,
    emptyOutDir: false,
    copyPublicDir: false,
    minify: false,
    target: 'esnext',
    rolldownOptions: { output: { entryFileNames: 'tests.mjs', chunkFileNames: 'tests-[name]-[hash].mjs' } },
  },
  ssr: { noExternal: true },
});
cpSync(golden, join(outDir, 'golden'), { recursive: true });
if (process.env.BENCH_OUT) console.log(outDir);
else process.exitCode = await run(process.execPath, [join(outDir, 'tests.mjs'), ...process.argv.slice(2)]);
