import {
  attentionBackward as backwardInOne,
  attentionBackwardKey,
  attentionBackwardQuery,
  attentionForward,
  attentionParams,
  fitsAttentionBackward,
  type AttentionBlock,
  type AttentionLaunch,
} from '../../../kernels/attention/attention';
import type { View } from '../../../app/engine/gpu/buffers';
import { Gpu } from '../../../app/engine/gpu/device';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { offersLargeBlocks } from '../../../app/engine/ops/attention';
import { awake, secondsFor } from '../../../app/engine/ops/timing';
import { attentionBackward, attentionForward as forward64, type Attention } from '../../reference/attention';
import { maxError, uniform } from '../../support/gpu';
import { packHalves } from '../../support/halves';
import { round, type Row } from '../section';

export const title = 'Attention by blocks of scores';
export const note =
  'ms for 12 blocks, 128 images, 3 heads of 64 (a software adapter: one image, one head, once). Error: the largest against float64 over ' +
  'the largest value there, forward and backward, 65 tokens of 2 heads; for halves not measured here.';

/** No candidate is begun later. */
const BUDGET_MS = 8000;
const BLOCKS: readonly AttentionBlock[] = [
  { rows: 36, columns: 68 },
  { rows: 68, columns: 68, large: true },
  { rows: 36, columns: 68, unroll: 8 },
  { rows: 24, columns: 68 },
  { rows: 12, columns: 68 },
  { rows: 36, columns: 36 },
];

interface Views {
  readonly qkv: View;
  readonly out: View;
  readonly lse: View;
  readonly dOut: View;
  readonly delta: View;
  readonly dQkv: View;
}

/** Numbers from -1 to 1 that repeat from the millionth on: more would take longer than what is timed. */
function repeated(count: number, seed: number): Float32Array<ArrayBuffer> {
  const some = uniform(Math.min(count, 999_983), seed, -1, 1);
  const all = new Float32Array(count);
  for (let at = 0; at < count; at += some.length) all.set(some.subarray(0, count - at), at);
  return all;
}

function allocate(gpu: Gpu, s: Attention, halves: boolean): { views: Views; qkv: Float32Array; dOut: Float32Array } {
  const inputs = s.batch * s.tokens * 3 * s.heads * s.headSize;
  const outputs = s.batch * s.queries * s.heads * s.headSize;
  const [qkv, dOut] = [repeated(inputs, 1), repeated(outputs, 2)] as const;
  const stored = (name: string, data: Float32Array<ArrayBuffer>): View => gpu.upload(name, halves ? packHalves(data) : data);
  const rows = s.batch * s.heads * s.queries * 4;
  const views = {
    qkv: stored('qkv', qkv),
    dOut: stored('dOut', dOut),
    out: gpu.buffers.allocate('out', outputs * 4),
    lse: gpu.buffers.allocate('lse', rows),
    delta: gpu.buffers.allocate('delta', rows),
    dQkv: gpu.buffers.allocate('dQkv', inputs * 4),
  };
  return { views, qkv, dOut };
}

/** The kernels, with their buffers, in the order of a step; the last is the two before it in one, where the shape can have that. */
function kernels(s: Attention, v: Views, halves: boolean, block: AttentionBlock): [string, AttentionLaunch, View[]][] {
  const fits = fitsAttentionBackward(s, 'tiled', halves) && block.columns >= s.tokens;
  return [
    ['forward', attentionForward(s, 'tiled', halves, block), [v.qkv, v.out, v.lse]],
    ['backwardQuery', attentionBackwardQuery(s, 'tiled', halves, block), [v.qkv, v.out, v.dOut, v.lse, v.delta, v.dQkv]],
    ['backwardKey', attentionBackwardKey(s, 'tiled', halves, block), [v.qkv, v.dOut, v.lse, v.delta, v.dQkv]],
    ...(fits
      ? [['in one', backwardInOne(s, 'tiled', halves, block), [v.qkv, v.out, v.dOut, v.lse, v.dQkv]] as [string, AttentionLaunch, View[]]]
      : []),
  ];
}

async function timed(gpu: Gpu, s: Attention, halves: boolean, block: AttentionBlock): Promise<Row> {
  const { views } = allocate(gpu, s, halves);
  const row: Record<string, number> = {};
  let backward = 0;
  for (const [name, { spec, grid }, buffers] of kernels(s, views, halves, block)) {
    const recorder = new Recorder(gpu, 'bench.attention');
    const params = attentionParams(s);
    for (let i = 0; i < (gpu.info.software ? 1 : 12); i++) recorder.dispatch(spec, { params, buffers, grid, work: 0, label: name });
    const program = await awake(gpu, recorder.build());
    const ms = (await secondsFor(gpu, program)) * 1000;
    if (name.startsWith('backward')) backward += ms;
    row[name] = round(ms);
    program.dispose();
  }
  for (const view of Object.values(views) as View[]) gpu.buffers.free(view);
  const { 'in one': one, ...rest } = row;
  return { ...rest, backward: round(backward), 'in one': one ?? '–' };
}

async function errorOf(gpu: Gpu, block: AttentionBlock): Promise<string> {
  const s: Attention = { batch: 1, tokens: 65, queries: 65, heads: 2, headSize: 64 };
  const { views, qkv, dOut } = allocate(gpu, s, false);
  const compare = async (view: View, want: Float64Array): Promise<number> =>
    maxError((await gpu.readFloats(view)).subarray(0, want.length), want) / want.reduce((top, x) => Math.max(top, Math.abs(x)), 0);
  const errors: number[] = [];
  const [forward, ...backward] = kernels(s, views, false, block);
  for (const list of [backward.slice(0, 2), backward.slice(2)]) {
    if (list.length === 0) continue;
    const recorder = new Recorder(gpu, 'bench.attention');
    for (const [label, { spec, grid }, buffers] of [forward!, ...list])
      recorder.dispatch(spec, { params: attentionParams(s), buffers, grid, work: 0, label });
    const program = await recorder.build();
    program.run();
    errors.push(await compare(views.out, forward64(s, qkv)), await compare(views.dQkv, attentionBackward(s, qkv, dOut)));
    program.dispose();
  }
  for (const view of Object.values(views) as View[]) gpu.buffers.free(view);
  return Math.max(...errors).toExponential(1);
}

export async function run(): Promise<Row[]> {
  const gpu = await Gpu.open();
  try {
    const { software } = gpu.info;
    const shape = (tokens: number, queries: number): Attention =>
      software ? { batch: 1, tokens, queries, heads: 1, headSize: 64 } : { batch: 128, tokens, queries, heads: 3, headSize: 64 };
    const rows: Row[] = [];
    const measure = async (s: Attention, halves: boolean, block: AttentionBlock): Promise<void> => {
      const begun = performance.now();
      const name = `${block.rows} x ${block.columns}${block.unroll ? ` by ${block.unroll}` : ''}${block.large ? ' large' : ''}`;
      const scores = `${s.queries} x ${s.tokens}${halves ? ' halves' : ''}`;
      const row = { blocks: name, scores, ...(await timed(gpu, s, halves, block)) };
      rows.push({ ...row, 's in all': round((performance.now() - begun) / 1000) });
      // Compilation may take long: what is known is told at once.
      console.log(Object.values(rows.at(-1)!).join('  '));
    };
    const start = performance.now();
    const full = shape(65, 65);
    const offered = BLOCKS.filter(({ large }) => !large || offersLargeBlocks(gpu.info));
    const [first, ...others] = software ? offered.slice(0, 1) : offered;
    await measure(full, false, first!);
    console.log(`error ${await errorOf(gpu, first!)}`);
    const rest: [Attention, boolean, AttentionBlock][] = [
      [shape(65, 1), false, first!],
      [shape(257, 257), false, first!],
      [full, true, first!],
      ...others.map((block): [Attention, boolean, AttentionBlock] => [full, false, block]),
    ];
    for (const candidate of software ? [] : rest) if (performance.now() - start < BUDGET_MS) await measure(...candidate);
    return rows;
  } finally {
    gpu.dispose();
  }
}
