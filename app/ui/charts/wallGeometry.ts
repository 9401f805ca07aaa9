import type { MatrixKind, MatrixPlan } from '../../protocol/messages';

const COLUMNS: readonly MatrixKind[] = ['q', 'k', 'v', 'qkv', 'proj', 'fc1', 'fc2'];

/** The grid of a wall: which matrix stands where. Head and patch embedding are not on it. */
export interface WallGrid {
  /** One column for each kind, and one more for each further slice of a weight; `part` counts them. */
  readonly columns: readonly { kind: MatrixKind; part: number; span: number }[];
  readonly blocks: readonly number[];
  /** Matrix names by row, then column; '' where there is none. */
  readonly names: readonly (readonly string[])[];
}

export function wallGrid(matrices: readonly Pick<MatrixPlan, 'name' | 'block' | 'kind'>[]): WallGrid {
  const inBlocks = matrices.filter((m) => m.block >= 0);
  const blocks = [...new Set(inBlocks.map((m) => m.block))].sort((a, b) => a - b);
  const of = (block: number, kind: MatrixKind) => inBlocks.filter((m) => m.block === block && m.kind === kind);
  const columns = COLUMNS.flatMap((kind) => {
    const parts = Math.max(0, ...blocks.map((block) => of(block, kind).length));
    // A fused QKV is as wide as the three it stands for, so that the others keep their places.
    const alone = kind === 'qkv' && parts === 1 && !inBlocks.some((m) => m.kind === 'q');
    return Array.from({ length: parts }, (_, part) => ({ kind, part, span: alone ? 3 : 1 }));
  });
  const names = blocks.map((block) => columns.map(({ kind, part }) => of(block, kind)[part]?.name ?? ''));
  return { columns, blocks, names };
}

/** Places on the wall in CSS pixels. `left[c]` and `width[c]` are of column c with its rank figure. */
export interface WallLayout {
  readonly compact: boolean;
  readonly gutter: number;
  readonly gap: number;
  readonly top: number;
  readonly bottom: number;
  readonly rowHeight: number;
  /** Width of the figure beside each plot; 0 on a phone. */
  readonly figure: number;
  readonly left: readonly number[];
  readonly width: readonly number[];
  /** Space above and below a plot inside its row. */
  readonly above: number;
  readonly below: number;
}

/** Width of the wall under which the phone's geometry is used. */
export const COMPACT = 560;

export function wallLayout(grid: WallGrid, width: number, height: number, scale: number): WallLayout {
  const compact = width < COMPACT;
  const gutter = compact ? 32 : 36 * scale;
  const gap = compact ? 6 : 16;
  const figure = compact ? 0 : 28 * scale;
  const top = (compact ? 20 : 24) * scale;
  const bottom = (compact ? 14 : 18) * (scale > 1 ? 1.15 : 1);
  const spans = grid.columns.reduce((sum, c) => sum + c.span, 0);
  const unit = (width - gutter - gap * Math.max(0, spans - 1)) / Math.max(1, spans);
  const left: number[] = [];
  const widths: number[] = [];
  let x = gutter;
  for (const { span } of grid.columns) {
    const w = unit * span + gap * (span - 1);
    left.push(x);
    widths.push(w);
    x += w + gap;
  }
  const rowHeight = Math.max(8, (height - top - bottom) / Math.max(1, grid.blocks.length));
  // Rows of the mock's density keep 3 px above and 1 below; tall rows get more air between them.
  const air = Math.min(8, Math.max(0, (rowHeight - 28) * 0.12));
  return { compact, gutter, gap, top, bottom, rowHeight, figure, left, width: widths, above: 3 + air, below: 1 + air / 2 };
}

/** Width of a digit of the index axis in CSS pixels, and the least space between two of its names. */
const DIGIT = 6.4;
const APART = 4;

export interface IndexName {
  readonly name: string;
  /** Where the name begins and ends, from the left of the plot, in CSS pixels. */
  readonly left: number;
  readonly right: number;
  readonly isTarget: boolean;
}

/**
 * What stands under a plot `width` wide of `count` singular values, of which the target rank's last lies at `kept`: the target's own
 * number, within the plot, and the first and the last index where they have room beside it.
 */
export function indexNames(width: number, kept: number, target: number, count: number, scale: number): IndexName[] {
  const wide = (name: string) => name.length * DIGIT * scale;
  const from = (left: number, name: string, isTarget = false): IndexName => ({ name, left, right: left + wide(name), isTarget });
  const first = from(0, '1');
  const last = from(width - wide(String(count)), String(count));
  if (target >= count) return count > 1 ? [first, last] : [last];
  const name = String(target);
  const at = from(Math.max(0, Math.min(width - wide(name), kept - wide(name) / 2)), name, true);
  return [...(first.right + APART <= at.left ? [first] : []), at, ...(at.right + APART <= last.left ? [last] : [])];
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

export function placeOf(grid: WallGrid, name: string): Place | null {
  for (let row = 0; row < grid.names.length; row++) {
    const column = grid.names[row]!.indexOf(name);
    if (name && column >= 0) return { row, column };
  }
  return null;
}

/**
 * Where a key leads from a place: arrows one cell, Home and End along the row, Page keys and Ctrl+Home/End along the column. Cells without a
 * matrix are skipped, the edges hold. Null for other keys.
 */
export function movePlace(grid: WallGrid, from: Place, key: string, ctrl = false): Place | null {
  const rows = grid.blocks.length;
  const columns = grid.columns.length;
  const walk = (dr: number, dc: number): Place => {
    let at = from;
    for (
      let row = from.row + dr, column = from.column + dc;
      row >= 0 && row < rows && column >= 0 && column < columns;
      row += dr, column += dc
    ) {
      if (grid.names[row]![column]) {
        at = { row, column };
        break;
      }
    }
    return at;
  };
  const far = (dr: number, dc: number): Place => {
    let at = from;
    for (
      let row = from.row + dr, column = from.column + dc;
      row >= 0 && row < rows && column >= 0 && column < columns;
      row += dr, column += dc
    )
      if (grid.names[row]![column]) at = { row, column };
    return at;
  };
  switch (key) {
    case 'ArrowLeft':
      return walk(0, -1);
    case 'ArrowRight':
      return walk(0, 1);
    case 'ArrowUp':
      return walk(-1, 0);
    case 'ArrowDown':
      return walk(1, 0);
    case 'Home':
      return ctrl ? far(-1, 0) : far(0, -1);
    case 'End':
      return ctrl ? far(1, 0) : far(0, 1);
    case 'PageUp':
      return far(-1, 0);
    case 'PageDown':
      return far(1, 0);
    default:
      return null;
  }
}
