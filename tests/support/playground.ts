import { expect, type Page } from '@playwright/test';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Experiment } from '../../app/protocol/experiment';

/** Real CIFAR-10 sample files beside the project, where there are any. */
export const CIFAR_DIR = ['../shared/cifar10', '../../shared/cifar10'].map((path) => resolve(path)).find((path) => existsSync(path));

/** For scripts that bring experiments of their own: a model too large for any device, so that none is compiled before they ask for theirs. */
export const NOTHING_AHEAD = '#v=1&embedDim=1024&depth=24&numHeads=16&mlpRatio=4&batchSize=2048';

/** Opens the page, waits for its device, and serves the golden files to it. */
export async function openPlayground(page: Page, hash = ''): Promise<void> {
  await page.route('**/golden/*', (route) => {
    const name = new URL(route.request().url()).pathname.split('/').pop()!;
    return route.fulfill({ body: readFileSync(resolve('tests/golden', name)) });
  });
  await page.goto(`./${hash}`);
  await waitForDevice(page);
  await page.addScriptTag({ content: PAGE_HELPERS });
}

/** Until the page can be asked for something. */
export async function waitForDevice(page: Page): Promise<void> {
  await page.waitForFunction(() => 'q3r' in window);
  await page.evaluate(() => window.q3r.memory());
}

export interface Miss {
  what: string;
  error: number;
  atol: number;
}

/** Fails with every comparison that is out of its tolerance. */
export function expectWithin(results: Miss[]): void {
  expect(results.length).toBeGreaterThan(0);
  expect(results.filter(({ error, atol }) => !(error <= atol))).toEqual([]);
}

declare global {
  interface Window {
    golden: {
      manifest(): Promise<{ cases: GoldenCase[] }>;
      tensors(file: string): Promise<Record<string, { shape: number[]; data: Float32Array | Int32Array }>>;
      parse(bytes: ArrayBuffer): Record<string, { shape: number[]; data: Float32Array | Int32Array }>;
      write(tensors: Record<string, { shape: number[]; data: Float32Array | Int32Array }>): Uint8Array;
      maxError(got: ArrayLike<number>, want: ArrayLike<number>): number;
      /** The model of a case, from its parameters. */
      modelOf(params: GoldenCase['params']): Experiment['model'];
    };
  }
}
export interface GoldenCase {
  id: string;
  kind: string;
  file: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the manifest's parameters differ by kind
  params: any;
  inputs: string[];
  expected: Record<string, { atol: number; atol_rms?: number; skip_rows?: [number, number]; scale: number }>;
  scalars?: Record<string, { value: number; atol?: number; accept?: [number, number] }>;
}

/** Runs in the page: reading and writing safetensors, and comparing. */
const PAGE_HELPERS = `
window.golden = {
  async manifest() { return (await fetch('golden/manifest.json')).json(); },
  async tensors(file) { return this.parse(await (await fetch('golden/' + file)).arrayBuffer()); },
  parse(bytes) {
    const n = Number(new DataView(bytes).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, n)));
    const out = {};
    for (const [name, t] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      const part = bytes.slice(8 + n + t.data_offsets[0], 8 + n + t.data_offsets[1]);
      out[name] = { shape: t.shape, data: t.dtype === 'I32' ? new Int32Array(part) : new Float32Array(part) };
    }
    return out;
  },
  write(tensors) {
    const header = {}; let at = 0;
    for (const [name, { shape, data }] of Object.entries(tensors)) { header[name] = { dtype: 'F32', shape, data_offsets: [at, at += data.byteLength] }; }
    const head = new TextEncoder().encode(JSON.stringify(header));
    const out = new Uint8Array(8 + head.length + at);
    new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true);
    out.set(head, 8); at = 8 + head.length;
    for (const { data } of Object.values(tensors)) { out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at); at += data.byteLength; }
    return out;
  },
  maxError(got, want) {
    if (got.length !== want.length) return Infinity;
    let worst = 0;
    for (let i = 0; i < want.length; i++) { const d = Math.abs(got[i] - want[i]); if (!(d <= worst)) worst = Number.isNaN(d) ? Infinity : d; }
    return worst;
  },
  modelOf: (p) => ({
    imageSize: p.image, inChannels: p.channels, numClasses: p.classes, patchSize: p.patch,
    embedDim: p.dim, depth: p.depth, numHeads: p.heads, mlpRatio: p.mlp_ratio,
  }),
};`;
