import { Gpu } from '../../../app/engine/gpu/device';
import { Readback } from '../../../app/engine/gpu/readback';
import { Recorder, submitsFor } from '../../../app/engine/gpu/recorder';
import { SvdBatch } from '../../../app/engine/linalg/svdBatch';
import { matmulScratchBytes, recordMatmul, type MatmulTuning } from '../../../app/engine/ops/matmul';
import { tuneMatmul } from '../../../app/engine/ops/tune';
import { resolveModel } from '../../../app/engine/train/datasets';
import { Run } from '../../../app/engine/train/run';
import { defaultExperiment, patchExperiment } from '../../../app/protocol/experiment';

/** One of the bench's ViT rows. */
interface VitConfig {
  readonly image: number;
  readonly channels: number;
  readonly patch: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlp: number;
  readonly batch: number;
  readonly classes: number;
}

interface VitInputs {
  /** Linear weights are [in, out]; patches are [row, column, channel]. */
  readonly params: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array }[];
  /** [B, H, W, C]. */
  readonly x: Float32Array;
  readonly y: Int32Array;
}

interface Job {
  run(): unknown;
  /** Resolves when all that was queued is done and a number of it has been read. */
  sync(): Promise<number>;
  read?(): Promise<Float32Array>;
  loss?(): number;
  dispose(): unknown;
}

let gpu: Gpu;
let tuning: MatmulTuning;

/** out [cols, rows] of a row-major [rows, cols]. */
function transposed(data: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = data[i * cols + j]!;
  return out;
}

/** Names of a block's layers there and here. */
const LAYERS: Readonly<Record<string, string>> = {
  ln1: 'norm1',
  ln2: 'norm2',
  qkv: 'attn.qkv',
  proj: 'attn.proj',
  fc1: 'mlp.fc1',
  fc2: 'mlp.fc2',
  lnf: 'norm',
  head: 'head',
  patch: 'patch_embed.proj',
};

/** timm's name of a parameter. */
function nameOf(name: string): string {
  if (name === 'cls') return 'cls_token';
  if (name === 'pos') return 'pos_embed';
  const [, block, layer, kind] = /^(?:b(\d+)\.)?(\w+)\.(\w)$/.exec(name)!;
  return `${block === undefined ? '' : `blocks.${block}.`}${LAYERS[layer!]}.${kind === 'b' ? 'bias' : 'weight'}`;
}

/** Its values in timm's layout: [out, in], and patches as [channel, row, column]. */
function valuesOf(name: string, shape: readonly number[], data: Float32Array, { patch, channels }: VitConfig): Float32Array {
  if (!name.endsWith('.w')) return data;
  const [inputs, outputs] = shape as [number, number];
  const out = transposed(data, inputs, outputs);
  if (name !== 'patch.w') return out;
  const pixels = patch * patch;
  return out.map((_, i) => {
    const [o, c, p] = [Math.floor(i / inputs), Math.floor((i % inputs) / pixels), i % pixels];
    return out[o * inputs + p * channels + c]!;
  });
}

/** A training step of the page: its own run, fed with one batch by hand, as `trainOn` does. */
async function vitStep(config: VitConfig, { params, x, y }: VitInputs): Promise<Job> {
  const experiment = patchExperiment(defaultExperiment(), {
    dataset: 'cifar10',
    model: {
      imageSize: config.image,
      inChannels: config.channels,
      numClasses: config.classes,
      patchSize: config.patch,
      embedDim: config.dim,
      depth: config.depth,
      numHeads: config.heads,
      mlpRatio: config.mlp,
    },
    train: {
      batchSize: config.batch,
      steps: 1_000_000,
      lr: 1e-3,
      lrSchedule: 'constant',
      warmupSteps: 0,
      beta1: 0.9,
      beta2: 0.999,
      adamEps: 1e-8,
      weightDecay: 0,
      labelSmoothing: 0,
      gradClip: 0,
      augment: 'none',
    },
    method: { name: 'adamw' },
  });
  const run = await Run.create(gpu, experiment, resolveModel(experiment), tuning);
  const arena = await run.readParameters();
  for (const { name, shape, data } of params) {
    const entry = run.table.byName.get(nameOf(name));
    if (entry?.length !== data.length) throw new Error(`${name} has no place in the model`);
    arena.set(valuesOf(name, shape, data, config), entry.offset);
  }
  await run.writeParameters(arena);
  const { batch, image, channels } = config;
  const images = new Float32Array(x.length);
  for (let b = 0, i = 0; b < batch; b++)
    for (let p = 0; p < image * image; p++) for (let c = 0; c < channels; c++, i++) images[(b * channels + c) * image * image + p] = x[i]!;
  let t = 0;
  let last: Promise<number> = Promise.resolve(NaN);
  let loss = NaN;
  return {
    // Steps overlap as they do on the page: the next is queued while up to three are in flight.
    async run() {
      await run.ready(++t);
      last = run.submitBatch(t, { images, labels: y }).then(({ record }) => (loss = record.loss));
      last.catch(() => undefined);
    },
    sync: () => last,
    loss: () => loss,
    dispose: () => run.dispose(),
  };
}

/** All singular values of `batch` square matrices at once, as the trainer's exact refresh decomposes its own. */
async function svd(n: number, { batch, a }: { batch: number; a: Float32Array<ArrayBuffer> }): Promise<Job> {
  const arena = gpu.upload('svd', a);
  const matrices = Array.from({ length: batch }, (_, i) => ({ name: `matrix ${i}`, offset: i * n * n, rows: n, cols: n }));
  const decomposition = new SvdBatch(gpu, { matrices, arena });
  await decomposition.build();
  let sigma = new Float32Array();
  return {
    run() {
      const program = decomposition.coldExact();
      program.run(submitsFor(gpu, program));
    },
    async sync() {
      sigma = (await gpu.readFloats(decomposition.sigma)).slice(0, batch * n);
      return sigma[0]!;
    },
    read: async () => sigma,
    dispose() {
      decomposition.dispose();
      gpu.buffers.free(arena);
    },
  };
}

export default {
  name: 'q3r-playground',

  async init() {
    gpu = await Gpu.open();
    tuning = await tuneMatmul(gpu);
    return { kind: 'webgpu', adapter: `${gpu.info.vendor} ${gpu.info.architecture}`, tuning: JSON.stringify(tuning.rates.nn.large) };
  },

  async gemm(
    m: number,
    n: number,
    k: number,
    transA: boolean,
    transB: boolean,
    { batch, a, b }: { batch: number; a: Float32Array<ArrayBuffer>; b: Float32Array<ArrayBuffer> },
  ): Promise<Job> {
    const shape = { m, n, k, transA, transB, batch };
    const [left, right] = [gpu.upload('a', a), gpu.upload('b', b)];
    const out = gpu.buffers.allocate('out', batch * m * n * 4);
    const bytes = matmulScratchBytes(tuning, shape);
    const scratch = bytes > 0 ? gpu.buffers.allocate('scratch', bytes) : undefined;
    const recorder = new Recorder(gpu, 'gemm');
    recordMatmul(recorder, tuning, { ...shape, a: left, b: right, out, scratch });
    const program = await recorder.build();
    const readback = new Readback(gpu, 'first', 256);
    return {
      run: () => program.run(),
      async sync() {
        const encoder = gpu.device.createCommandEncoder();
        readback.copy(encoder, { ...out, size: 4 });
        gpu.device.queue.submit([encoder.finish()]);
        return new Float32Array(await readback.map(4))[0]!;
      },
      read: async () => (await gpu.readFloats(out)).slice(0, batch * m * n),
      dispose() {
        program.dispose();
        readback.dispose();
        for (const view of [left, right, out, scratch]) if (view) gpu.buffers.free(view);
      },
    };
  },

  vitStep,

  svd,
};
