import type { CommandMap, Matrix, Q3rOptions, SvdOptions } from '../../protocol/messages';
import type { Gpu } from '../gpu/device';
import { q3r } from '../linalg/q3r';
import { svd } from '../linalg/svd';
import type { MatmulTuning } from '../ops/matmul';
import { multiply } from '../ops/multiply';

type Reply<K extends keyof CommandMap> = Promise<CommandMap[K]['reply']>;

/** Linear algebra for scripts, by the trainer's own kernels, beside any run. */
export class LinalgDesk {
  constructor(
    private readonly gpu: () => Gpu,
    private readonly tuning: () => MatmulTuning,
  ) {}

  /** @throws RangeError for a matrix whose values do not fill its shape, here and below */
  svd(matrix: Matrix, options: SvdOptions): Reply<'svd'> {
    checkMatrix('a', matrix);
    return svd(this.gpu(), matrix, options);
  }
  q3r(matrix: Matrix, options: Q3rOptions): Reply<'q3r'> {
    checkMatrix('w', matrix);
    if (options.x) checkMatrix('x', options.x);
    return q3r(this.gpu(), matrix, options);
  }
  matmul(a: Matrix, b: Matrix, transA: boolean, transB: boolean): Promise<Float32Array> {
    checkMatrix('a', a);
    checkMatrix('b', b);
    return multiply(this.gpu(), this.tuning(), a, b, transA, transB);
  }
}

function checkMatrix(name: string, { data, rows, cols }: Matrix): void {
  if (
    !(data instanceof Float32Array) ||
    !Number.isInteger(rows) ||
    !Number.isInteger(cols) ||
    rows < 1 ||
    cols < 1 ||
    data.length !== rows * cols
  )
    throw new RangeError(
      `${name} must be {data: Float32Array, rows, cols} with rows · cols values; got ${rows} × ${cols} and ${data?.length} values.`,
    );
}
