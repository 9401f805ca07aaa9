import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { install } from '../../bench/node/shims';
import { runFile, type Outcome } from './harness';

/** Kernels and everything of the engine that computes; what needs a browser's storage or worker is not among them. */
const FILES = {
  ...import.meta.glob('../../kernels/*.test.ts'),
  ...import.meta.glob('../../engine/{gpu,ops,optim,linalg,model,regularizers,factorization,profile}/*.test.ts'),
  ...import.meta.glob('../../engine/train/{run,truncation,randomized,checkpoint,recipe,inspector}.test.ts'),
};

await install();
const fetched = globalThis.fetch;
globalThis.fetch = (async (input: string | URL, init?: RequestInit) => {
  const name = /^golden:(.+)$/.exec(String(input))?.[1];
  return name === undefined
    ? fetched(input, init)
    : new Response(readFileSync(fileURLToPath(new URL(`./golden/${name}`, import.meta.url))));
}) as typeof fetch;

const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) throw new Error('Dawn found no adapter: is there a Vulkan driver, and its loader (libvulkan.so.1)?');
const { vendor, architecture, device, description } = adapter.info;
console.log(`Node ${process.version}, Dawn, ${[vendor, architecture, device, description].filter(Boolean).join(' ')}`);

const parts = process.argv.slice(2);
/** Seconds after which no further file is begun. */
const limit = Number(process.env.TEST_SECONDS ?? Infinity);
const all: Outcome[] = [];
for (const [path, load] of Object.entries(FILES).sort()) {
  const name = path.replace('../../', '');
  if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue;
  if (performance.now() / 1000 > limit) {
    console.log(`left out, out of time: ${name}`);
    continue;
  }
  const from = performance.now();
  const outcomes = await runFile(load);
  all.push(...outcomes);
  const bad = outcomes.filter(({ error }) => error);
  console.log(
    `${bad.length > 0 ? 'FAILED' : 'passed'} ${name}: ${outcomes.length - bad.length} of ${outcomes.length}, ${((performance.now() - from) / 1000).toFixed(1)} s`,
  );
  for (const { name: test, error } of bad) console.log(`  ${test}\n    ${error.replace(/\n/g, '\n    ')}`);
}
const failed = all.filter(({ error }) => error).length;
console.log(`${all.length - failed} passed, ${failed} failed`);
// Dawn keeps the process alive.
process.exit(failed > 0 ? 1 : 0);
