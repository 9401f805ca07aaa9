import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Section } from '../section';
import { table } from '../table.mjs';
import { install } from './shims';

/** In the order of what is asked first of a new device. Those that measure a page are not among them. */
const SECTIONS: Record<string, () => Promise<Section>> = {
  peak: () => import('../sections/peak'),
  sweep: () => import('../sections/sweep'),
  gemm: () => import('../sections/gemm'),
  tuner: () => import('../sections/tuner'),
  training: () => import('../sections/training'),
  idle: () => import('../sections/idle'),
  roofline: () => import('../sections/roofline'),
  svd: () => import('../sections/svd'),
  refresh: () => import('../sections/refresh'),
  overhead: () => import('../sections/overhead'),
  memory: () => import('../sections/memory'),
  precision: () => import('../sections/precision'),
  attention: () => import('../sections/attention'),
  scaling: () => import('../sections/scaling'),
};

/** The same training step in PyTorch, where this machine has it with CUDA. */
function torch(): void {
  const script = fileURLToPath(new URL('./torchStep.py', import.meta.url));
  const { stdout, stderr, error } = spawnSync(process.env.PYTHON ?? 'python3', [script], { encoding: 'utf8' });
  console.log(`\nThe ViT-Tiny/4 step in PyTorch, eager\n${error?.message ?? (stdout.trim() || stderr.trim().split('\n').at(-1))}`);
}

await install();
const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) throw new Error('Dawn found no adapter: is there a Vulkan driver, and its loader (libvulkan.so.1)?');
const { vendor, architecture, device, description } = adapter.info;
console.log(`Node ${process.version}, Dawn, ${[vendor, architecture, device, description].filter(Boolean).join(' ')}`);
console.log([...adapter.features].sort().join(' '));

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name.replace(/:.*/, '') in SECTIONS) && name !== 'torch');
if (unknown.length > 0) throw new Error(`No section ${unknown.join(', ')}; there are ${Object.keys(SECTIONS).join(', ')} and torch.`);
const results: Record<string, unknown> = {};
for (const entry of wanted.length > 0 ? wanted : [...Object.keys(SECTIONS), 'torch']) {
  const [name = '', argument] = entry.split(':');
  if (name === 'torch') {
    torch();
    continue;
  }
  try {
    const { title, note, run } = await SECTIONS[name]!();
    const rows = await run(argument);
    results[name] = { title, rows };
    console.log(`\n${title}\n${table(rows)}${note ? `\n${note}` : ''}`);
  } catch (error) {
    process.exitCode = 1;
    console.error(`\n${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
if (process.env.BENCH_JSON) writeFileSync(process.env.BENCH_JSON, `${JSON.stringify({ device: description, results }, null, 2)}\n`);
// Dawn keeps the process alive.
process.exit();
