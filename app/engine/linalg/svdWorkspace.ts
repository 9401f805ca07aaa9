import { layoutMatrices, type MatrixShape } from '../../../kernels/svd/table';
import type { View } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';

/** Buffers of a workspace with their elements of 4 bytes. */
export type WorkspaceItems = readonly { readonly name: string; readonly elements: number }[];
/** Views for some of them, each in a GPU buffer of its own: kernels bind one to read and another to write. */
export type Lend = (items: WorkspaceItems) => ReadonlyMap<string, View>;

/** What a workspace has room for: long and short ranges of the matrices of a batch, in vec4s. */
export interface WorkspaceSize {
  readonly long: number;
  readonly short: number;
  /** Also for U and V of exact decompositions, where batches do not keep all of them. */
  readonly whole: boolean;
}

/** Room for each of the given lists of matrices, one at a time. */
export function workspaceSize(lists: readonly (readonly MatrixShape[])[], whole = false): WorkspaceSize {
  const sizes = lists.map((list) => layoutMatrices(list));
  return { long: Math.max(1, ...sizes.map((s) => s.long)), short: Math.max(1, ...sizes.map((s) => s.short)), whole };
}

export const workspaceItems = ({ long, short, whole }: WorkspaceSize): WorkspaceItems => [
  { name: 'A', elements: 4 * long },
  { name: 'Y', elements: 4 * long },
  { name: 'V', elements: 4 * short },
  { name: 'gram', elements: 4 * short },
  { name: 'inverse', elements: 4 * short },
  ...(whole
    ? [
        { name: 'U', elements: 4 * long },
        { name: 'F', elements: 4 * short },
      ]
    : []),
];

/** Successive matrices in as few groups as there are with long ranges of at most `most` vec4s each, or of a single matrix. */
export function groupMatrices<T extends MatrixShape>(matrices: readonly T[], most: number): T[][] {
  const groups: T[][] = [];
  let room = 0;
  for (const matrix of matrices) {
    const { long } = layoutMatrices([matrix]);
    if (groups.length === 0 || long > room) {
      groups.push([]);
      room = most;
    }
    groups.at(-1)!.push(matrix);
    room -= long;
  }
  return groups;
}

/**
 * Work that several batches may share, because their programs never run at the same time; nothing of it is kept from one program to the
 * next. It may lie in memory of somebody else who rests meanwhile.
 */
export class SvdWorkspace {
  readonly a: View;
  readonly y: View;
  readonly v: View;
  readonly gram: View;
  readonly inverse: View;
  /** See `WorkspaceSize.whole`. */
  readonly u: View | undefined;
  readonly f: View | undefined;
  /** What is not lent. */
  private readonly own: View[] = [];

  constructor(
    private readonly gpu: Gpu,
    label: string,
    readonly size: WorkspaceSize,
    lend?: Lend,
  ) {
    const items = workspaceItems(size);
    const lent = lend?.(items);
    const make = ({ name, elements }: WorkspaceItems[number]): View => {
      const view = lent?.get(name) ?? gpu.buffers.allocate(`${label}.${name}`, 4 * elements);
      if (!lent?.has(name)) this.own.push(view);
      return view;
    };
    [this.a, this.y, this.v, this.gram, this.inverse, this.u, this.f] = items.map(make) as [View, View, View, View, View, View?, View?];
  }

  get views(): readonly View[] {
    return [this.a, this.y, this.v, this.gram, this.inverse, this.u, this.f].filter((view) => view !== undefined);
  }

  /** Bytes of its own. */
  get bytes(): number {
    return this.own.reduce((sum, view) => sum + view.size, 0);
  }

  dispose(): void {
    for (const view of this.own) this.gpu.buffers.free(view);
  }
}
