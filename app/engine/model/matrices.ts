import type { ParameterTable, VitConfig } from './parameters';

export type MatrixKind = 'q' | 'k' | 'v' | 'qkv' | 'proj' | 'fc1' | 'fc2' | 'head' | 'patch_embed';
/** The modules a method may name. */
export type MatrixModule = 'qkv' | 'proj' | 'fc1' | 'fc2' | 'head' | 'patch_embed';

/** A weight matrix as a row-major [rows, cols] range of the parameter arena. */
export interface WeightMatrix {
  /** The parameter's name; `…qkv.weight[0]`, `[1]`, `[2]` are Q, K and V. */
  readonly name: string;
  /** −1 outside the blocks. */
  readonly block: number;
  readonly kind: MatrixKind;
  readonly module: MatrixModule;
  /** First element in the arena: a multiple of 64 except inside a qkv weight whose thirds are not. */
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
}

const PARTS = ['q', 'k', 'v'] as const;

/** Every weight matrix in the arena's order: patch embedding, blocks, head. Q, K and V are three unless `fuseQkv`. */
export function weightMatrices(c: VitConfig, table: ParameterTable, fuseQkv: boolean): WeightMatrix[] {
  const out: WeightMatrix[] = [];
  for (const { name, shape, offset, length } of table.entries) {
    const module = /(?:^|\.)(qkv|proj|fc1|fc2|head)\.weight$/.exec(name)?.[1] as MatrixModule | undefined;
    if (module === undefined) continue;
    const block = Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? -1);
    const rows = shape[0] ?? 1;
    const cols = length / rows;
    if (name.startsWith('patch_embed.')) out.push({ name, block, kind: 'patch_embed', module: 'patch_embed', offset, rows, cols });
    else if (module === 'qkv' && !fuseQkv)
      PARTS.forEach((kind, i) => {
        const part = c.embedDim * cols;
        out.push({ name: `${name}[${i}]`, block, kind, module, offset: offset + i * part, rows: c.embedDim, cols });
      });
    else out.push({ name, block, kind: module, module, offset, rows, cols });
  }
  return out;
}
