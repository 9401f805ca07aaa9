import type { CommandMap, LoraOptions, LoritaOptions, Matrix, Q3rOptions, SvdOptions } from '../../protocol/messages';
import type { Gpu } from '../gpu/device';
import { q3r } from '../linalg/q3r';
import { svd } from '../linalg/svd';
import type { MatmulTuning } from '../ops/matmul';
import { multiply } from '../ops/multiply';
import { hoyerOf } from '../regularizers/hoyer/once';
import { loraLayer, loritaLayer } from './factorDesk';

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
  hoyer(matrix: Matrix, square: boolean): Reply<'hoyer'> {
    checkMatrix('w', matrix);
    return hoyerOf(this.gpu(), matrix, square);
  }
  async lorita(options: LoritaOptions): Reply<'lorita'> {
    checkMatrix('x', options.x);
    options.factors.forEach((f, i) => checkMatrix(`factors[${i}]`, f));
    if (options.gradOut) checkMatrix('gradOut', options.gradOut);
    return loritaLayer(this.gpu(), this.tuning(), options);
  }
  async lora(options: LoraOptions): Reply<'lora'> {
    const { x, a, b, gradOut } = options;
    for (const [name, matrix] of Object.entries({ x, a, b, ...(gradOut ? { gradOut } : {}) })) checkMatrix(name, matrix);
    return loraLayer(this.gpu(), this.tuning(), options);
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
