import { expect, test } from 'vitest';
import { rngNormal, rngU32, rngUniform, rngWgsl } from '../../kernels/rng';
import { fields, foldGrid, type KernelSpec } from '../../kernels/spec';
import { Recorder } from '../../app/engine/gpu/recorder';
import { maxError, useGpu } from '../support/gpu';

const gpu = useGpu();
const draw: KernelSpec = {
  name: 'test/rng',
  code: `${rngWgsl}
struct Params { seed: u32, stream: u32, first: u32, count: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> bits: array<u32>;
@group(0) @binding(2) var<storage, read_write> normals: array<vec2f>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= p.count) { return; }
  let h = rng_u32(p.seed, p.stream, p.first + g.x);
  bits[2u * g.x] = h;
  bits[2u * g.x + 1u] = bitcast<u32>(rng_uniform(h));
  normals[g.x] = rng_normal(p.seed, p.stream, p.first + g.x);
}`,
  params: fields('u32 seed, u32 stream, u32 first, u32 count'),
  bindings: [
    { name: 'bits', access: 'readwrite' },
    { name: 'normals', access: 'readwrite' },
  ],
};

test.each([
  [0, 0, 0],
  [1, 2, 3],
  [4294967295, 7, 4294967000],
])('the kernel draws the same bits as the CPU, seed %i stream %i from %i', async (seed, stream, first) => {
  const g = gpu();
  const count = 65;
  const bits = g.buffers.allocate('bits', count * 8);
  const normals = g.buffers.allocate('normals', count * 8);
  const rec = new Recorder(g, 'rng').dispatch(draw, {
    params: { seed, stream, first, count },
    buffers: [bits, normals],
    grid: foldGrid(2),
  });
  const program = await rec.build();
  program.run();
  const raw = await g.read(bits);
  const got = new Uint32Array(raw);
  const gotUniform = new Float32Array(raw);
  const gotNormal = await g.readFloats(normals);
  const wantNormal: number[] = [];
  for (let i = 0; i < count; i++) {
    const h = rngU32(seed, stream, (first + i) >>> 0);
    expect(got[2 * i]).toBe(h);
    expect(gotUniform[2 * i + 1]).toBe(rngUniform(h));
    wantNormal.push(...rngNormal(seed, stream, (first + i) >>> 0));
  }
  // WGSL grants cos and sin an absolute error of 2^-11, and the radius is at most sqrt(-2 log 2^-24) = 5.8.
  expect(maxError(gotNormal.slice(0, 2 * count), wantNormal)).toBeLessThan(5.8 * 2 ** -11);
  program.dispose();
  for (const view of [bits, normals]) g.buffers.free(view);
});

test('counters, streams and seeds give even, unrelated bits', () => {
  // Each bit is a coin of n throws: 5 standard deviations of sqrt(n)/2 bound all 32 × 3 of them; so does a lag of one.
  const n = 20000;
  for (const at of [(i: number) => rngU32(1, 1, i), (i: number) => rngU32(1, i, 1), (i: number) => rngU32(i, 1, 1)]) {
    const ones = new Array<number>(32).fill(0);
    const flips = new Array<number>(32).fill(0);
    for (let i = 0; i < n; i++) {
      const h = at(i);
      const change = h ^ at(i + 1);
      for (let b = 0; b < 32; b++) {
        ones[b]! += (h >>> b) & 1;
        flips[b]! += (change >>> b) & 1;
      }
    }
    for (const count of [...ones, ...flips]) expect(Math.abs(count - n / 2)).toBeLessThan(5 * 0.5 * Math.sqrt(n));
  }
});

test('normals have mean 0 and variance 1, uniforms mean 1/2', () => {
  const n = 20000;
  let sum = 0;
  let squares = 0;
  let level = 0;
  for (let i = 0; i < n; i++) {
    const [a, b] = rngNormal(5, 3, i);
    sum += a + b;
    squares += a * a + b * b;
    level += rngUniform(rngU32(5, 4, i));
  }
  // Five standard errors: of 2n normals, of their squares (variance 2), of n uniforms (variance 1/12).
  expect(Math.abs(sum / (2 * n))).toBeLessThan(5 / Math.sqrt(2 * n));
  expect(Math.abs(squares / (2 * n) - 1)).toBeLessThan(5 * Math.sqrt(2 / (2 * n)));
  expect(Math.abs(level / n - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
});
