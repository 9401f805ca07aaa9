import { join, resolve } from 'node:path';
import { build } from 'vite';
import { ROOT } from './run.mjs';

/**
 * Builds `main.ts` of a folder, with all that it imports, into a program for Node: `NAME.mjs`, with its chunks beside it, in the folder that
 * BENCH_OUT names, else in one beside node_modules, so that packages are found from there. `version` is what the engine takes its own for.
 * @returns {Promise<string>} the folder of the program
 */
export async function buildForNode({ folder, name, version, define = {}, plugins = [], alias = {} }) {
  const outDir = process.env.BENCH_OUT ? resolve(process.env.BENCH_OUT) : join(ROOT, 'node_modules', '.cache', `node-${name}`);
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    define: { __APP_VERSION__: JSON.stringify(version), 'process.env.NODE_ENV': JSON.stringify('production'), ...define },
    plugins,
    resolve: { alias },
    build: {
      ssr: join(folder, 'main.ts'),
      outDir,
      emptyOutDir: false,
      copyPublicDir: false,
      minify: false,
      target: 'esnext',
      rolldownOptions: { output: { entryFileNames: `${name}.mjs`, chunkFileNames: `${name}-[name]-[hash].mjs` } },
    },
    ssr: { noExternal: true },
  });
  return outDir;
}
