import type { MatrixPlan } from '../../protocol/messages';
import type { MatrixOverride } from '../../protocol/experiment';
import type { OverrideKey } from '../../store/actions';

const KIND: Record<MatrixPlan['kind'], string> = {
  q: 'Q',
  k: 'K',
  v: 'V',
  qkv: 'QKV',
  proj: 'proj',
  fc1: 'fc1',
  fc2: 'fc2',
  head: 'head',
  patch_embed: 'patch',
};

/** Share of a matrix's parameters that two factors of its target rank take, at most 1. */
export const keptShare = ({ rows, cols, targetRank }: Pick<MatrixPlan, 'rows' | 'cols' | 'targetRank'>): number =>
  Math.min(1, (targetRank * (rows + cols)) / (rows * cols));

/** "fc1", "QKV 0–23". */
export const kindOf = ({ kind, slice }: MatrixPlan): string => (slice ? `${KIND[kind]} ${slice[0]}–${slice[1] - 1}` : KIND[kind]);

/** "0–11", "0–2, 4", "–" outside the blocks. */
export function blocksText(blocks: readonly number[]): string {
  if (blocks.some((block) => block < 0)) return '–';
  const ranges: [number, number][] = [];
  for (const block of [...blocks].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === block - 1) last[1] = block;
    else ranges.push([block, block]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}

export interface SummaryRow {
  readonly first: MatrixPlan;
  readonly blocks: number[];
}

/** Matrices that are alike but for their block share a row. */
export function summaryRows(matrices: readonly MatrixPlan[]): SummaryRow[] {
  const rows = new Map<string, SummaryRow>();
  for (const m of matrices) {
    const key = [m.kind, m.slice?.join('-'), m.rows, m.cols, m.targetRank, m.regularized, m.lambdaScale, m.off, m.overridden].join();
    const row = rows.get(key);
    if (row) row.blocks.push(m.block);
    else rows.set(key, { first: m, blocks: [m.block] });
  }
  const order = Object.keys(KIND);
  return [...rows.values()].sort((a, b) => order.indexOf(a.first.kind) - order.indexOf(b.first.kind));
}

/** All matrices of one kind; a slice is a kind of its own. */
export interface KindGroup {
  readonly label: string;
  /** Name that stands for all of them: `blocks.*.mlp.fc1.weight`, or the one weight outside the blocks. */
  readonly name: string;
  readonly rows: readonly [number, number] | undefined;
  readonly matrices: readonly MatrixPlan[];
}

export function kindGroups(matrices: readonly MatrixPlan[]): KindGroup[] {
  const groups = new Map<string, { -readonly [K in keyof KindGroup]: KindGroup[K] } & { matrices: MatrixPlan[] }>();
  for (const m of matrices) {
    const label = kindOf(m);
    const group = groups.get(label);
    if (group) group.matrices.push(m);
    else groups.set(label, { label, name: starName(m), rows: m.slice, matrices: [m] });
  }
  const order = Object.keys(KIND);
  return [...groups.values()].sort((a, b) => order.indexOf(a.matrices[0]!.kind) - order.indexOf(b.matrices[0]!.kind));
}

/** The weight or part of one that a matrix is, without its rows. */
export const weightName = ({ name }: Pick<MatrixPlan, 'name'>): string => name.replace(/\(\d+-\d+\)$/, '');
const starName = (m: MatrixPlan): string => weightName(m).replace(/^blocks\.\d+\./, 'blocks.*.');

/** The place of an entry for this matrix alone. */
export const keyOf = (m: MatrixPlan): OverrideKey => ({ name: weightName(m), ...(m.slice ? { rows: m.slice } : {}) });

/** The place of an entry for all of a group; undefined where its slices were made one by one. */
export function groupKey({ name, rows, matrices }: KindGroup, overrides: readonly MatrixOverride[]): OverrideKey | undefined {
  const general = { name, ...(rows ? { rows } : {}) };
  const said = overrides.some((o) => o.name === name && String(o.rows) === String(rows));
  if (matrices.length === 1 && !said) return keyOf(matrices[0]!);
  return said || !rows ? general : undefined;
}
