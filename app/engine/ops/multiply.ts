import type { Gpu } from '../gpu/device';
import { Recorder } from '../gpu/recorder';
import { recordMatmul, type MatmulTuning } from './matmul';

export interface MatrixData {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
}

/** op(a) · op(b) by the trainer's own kernels, for scripts. Row-major. @throws RangeError when the inner sizes differ */
export async function multiply(
  gpu: Gpu,
  tuning: MatmulTuning,
  a: MatrixData,
  b: MatrixData,
  transA: boolean,
  transB: boolean,
): Promise<Float32Array> {
  const [m, k] = transA ? [a.cols, a.rows] : [a.rows, a.cols];
  const [inner, n] = transB ? [b.cols, b.rows] : [b.rows, b.cols];
  if (k !== inner) throw new RangeError(`The inner sizes differ: ${m} × ${k} times ${inner} × ${n}.`);
  const views = [gpu.upload('a', a.data), gpu.upload('b', b.data), gpu.buffers.allocate('out', m * n * 4)] as const;
  try {
    const recorder = new Recorder(gpu, 'multiply');
    recordMatmul(recorder, tuning, { m, n, k, a: views[0], b: views[1], out: views[2], transA, transB });
    const program = await recorder.build();
    program.run();
    program.dispose();
    return (await gpu.readFloats(views[2])).slice(0, m * n);
  } finally {
    for (const view of views) gpu.buffers.free(view);
  }
}
