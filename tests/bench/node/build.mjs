/**
 * `npm run bench:gpu [-- SECTION…]`: the sections that need no page, in Node on Dawn's package `webgpu` (`npm i --no-save webgpu`), which
 * reaches a graphics card through its driver without a browser; and the same training step in PyTorch where there is one with CUDA.
 *   BENCH_OUT   a folder for the built program; with it nothing is run. The folder needs only Node and, beside the program, a folder
 *               `webgpu` with that package: `node FOLDER/bench.mjs` then works without a network.
 *   BENCH_JSON  a file that receives the tables, too.
 *   DAWN_FLAGS  more flags for Dawn, separated by semicolons.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildForNode } from '../../support/nodeProgram.mjs';
import { ROOT, run } from '../../support/run.mjs';

const here = join(ROOT, 'tests', 'bench', 'node');
const outDir = await buildForNode({ folder: here, name: 'bench', version: 'bench' });
copyFileSync(join(here, 'torchStep.py'), join(outDir, 'torchStep.py'));
if (process.env.BENCH_OUT) console.log(outDir);
else process.exitCode = await run(process.execPath, [join(outDir, 'bench.mjs'), ...process.argv.slice(2)]);
