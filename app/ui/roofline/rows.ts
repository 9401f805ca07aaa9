import { formatInt, formatPercent, formatSignificant } from '../charts/format';
import { PART_NAMES, shortName } from './parts';
import type { Row } from './shape';

export type Column = 'name' | 'part' | 'dispatches' | 'milliseconds' | 'share' | 'flops' | 'bytes' | 'gflops' | 'gbps' | 'ofRoof';

export interface ColumnSpec {
  readonly key: Column;
  readonly label: string;
  readonly title?: string;
  readonly value: (row: Row) => number | string;
  readonly text: (row: Row) => string;
}

/** A count of dispatches; those of refreshes that differ are a mean. */
const dispatches = (n: number): string => (Number.isInteger(n) ? formatInt(n) : n.toFixed(1));
const figure = (value: number): string => (value < 1e-3 && value >= 0 ? '0' : formatSignificant(value, 3));
const estimated = (row: Row, text: string): string => (row.counted ? text : `≈\u2009${text}`);

export const COLUMNS: readonly ColumnSpec[] = [
  { key: 'name', label: 'Kernel', value: (r) => shortName(r.name), text: (r) => shortName(r.name) },
  { key: 'part', label: 'Part', value: (r) => PART_NAMES[r.part], text: (r) => PART_NAMES[r.part] },
  {
    key: 'dispatches',
    label: 'Dispatches',
    title: 'In one step; of the SVD, in one refresh',
    value: (r) => r.dispatches,
    text: (r) => dispatches(r.dispatches),
  },
  {
    key: 'milliseconds',
    label: 'ms',
    title: 'In a step; of the SVD, its share of one step',
    value: (r) => r.milliseconds,
    text: (r) => figure(r.milliseconds),
  },
  { key: 'share', label: 'Share', title: 'Of the time of all kernels', value: (r) => r.share, text: (r) => formatPercent(r.share, 1) },
  { key: 'flops', label: 'GFLOP', value: (r) => r.flops, text: (r) => estimated(r, figure(r.flops / 1e9)) },
  {
    key: 'bytes',
    label: 'MB',
    title: 'Every operand read once, every result written once',
    value: (r) => r.bytes,
    text: (r) => estimated(r, figure(r.bytes / 1e6)),
  },
  { key: 'gflops', label: 'GFLOP/s', value: (r) => r.gflops, text: (r) => figure(r.gflops) },
  { key: 'gbps', label: 'GB/s', value: (r) => r.gbps, text: (r) => figure(r.gbps) },
  {
    key: 'ofRoof',
    label: 'Of roof',
    title: 'Share of what peak and bandwidth allow it',
    value: (r) => r.ofRoof,
    text: (r) => formatPercent(r.ofRoof, 0),
  },
];

export interface Order {
  readonly by: Column;
  readonly down: boolean;
}

/** Rows in the order asked for; what has no value comes last. */
export function sorted(rows: readonly Row[], { by, down }: Order): Row[] {
  const { value } = COLUMNS.find(({ key }) => key === by)!;
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (typeof x === 'string' || typeof y === 'string') return sign * String(x).localeCompare(String(y));
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  });
}

/** All of a kernel that one line can say. */
export function sentence(row: Row): string {
  const { name, part, milliseconds, share, gflops, intensity, ofRoof } = row;
  return (
    `${shortName(name)}, ${PART_NAMES[part].toLowerCase()}: ${figure(milliseconds)} ms, ${formatPercent(share, 1)} of the step, ` +
    `${figure(gflops)} GFLOP/s at ${formatSignificant(intensity, 2)} FLOP per byte, ${formatPercent(ofRoof, 0)} of its roof`
  );
}
