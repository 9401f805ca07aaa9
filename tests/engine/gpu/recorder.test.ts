import { expect, test } from 'vitest';
import { fields, foldGrid, type KernelSpec } from '../../../kernels/spec';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { useGpu } from '../../support/gpu';

const gpu = useGpu();
const scale: KernelSpec = {
  name: 'test/scale',
  code: `
struct Params { count: u32, factor: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
override WG: u32 = 64u;
@compute @workgroup_size(WG) fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x < p.count) { y[g.x] = x[g.x] * p.factor; }
}`,
  params: fields('u32 count, f32 factor'),
  bindings: [
    { name: 'x', access: 'read' },
    { name: 'y', access: 'readwrite' },
  ],
  constants: { WG: 64 },
};

test('a program runs its dispatches in order with their own parameters', async () => {
  const g = gpu();
  const x = g.upload('x', new Float32Array([1, 2, 3]));
  const y = g.buffers.allocate('y', 12);
  const z = g.buffers.allocate('z', 12);
  const recorder = new Recorder(g, 'test');
  recorder.setPhase('forward').dispatch(scale, { params: { count: 3, factor: 2 }, buffers: [x, y], grid: [1, 1, 1] });
  recorder.setPhase('backward').dispatch(scale, { params: { count: 2, factor: 10 }, buffers: [y, z], grid: foldGrid(1) });
  const program = await recorder.build();
  program.run(2);
  expect([...(await g.readFloats(z)).slice(0, 3)]).toEqual([20, 40, 0]);
  const before = g.buffers.createdCount;
  program.run();
  expect(g.buffers.createdCount).toBe(before);
  program.dispose();
  for (const view of [x, y, z]) g.buffers.free(view);
  expect(g.buffers.liveBytes).toBe(0);
});

test('a program allocates before it compiles, and gives that back when it does not compile', async () => {
  const g = gpu();
  const [x, y] = [g.buffers.allocate('x', 12), g.buffers.allocate('y', 12)];
  const build = (spec: KernelSpec) =>
    new Recorder(g, 'test').dispatch(spec, { params: { count: 3, factor: 2 }, buffers: [x, y], grid: [1, 1, 1] }).build();
  const { createdCount, liveBytes } = g.buffers;
  const building = build(scale);
  expect(g.buffers.createdCount).toBe(createdCount + 1);
  (await building).dispose();
  expect(g.buffers.createdCount).toBe(createdCount + 1);
  await expect(build({ ...scale, name: 'test/faulty', code: scale.code.replace('p.factor', 'p.missing') })).rejects.toThrow(/missing/);
  expect(g.buffers.liveBytes).toBe(liveBytes);
  for (const view of [x, y]) g.buffers.free(view);
});

test('a shader that does not compile is reported with its source line', async () => {
  const broken: KernelSpec = { ...scale, name: 'test/broken', code: scale.code.replace('p.factor', 'p.missing') };
  await expect(gpu().pipelines.get(broken)).rejects.toThrow(/test\/broken.*missing/s);
});
