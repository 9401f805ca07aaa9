import type { Mark, MatrixKind, MatrixPlan } from '../../protocol/messages';
import { labelOf } from '../../protocol/settings';

const DASH = '–';
const MINUS = '−';
const THIN = '\u2009';

/** Whole number with thin spaces between thousands: 12 480. A dash for what is not a number. */
export function formatInt(value: number): string {
  if (!Number.isFinite(value)) return DASH;
  const text = Math.round(Math.abs(value)).toString();
  return (value < 0 && text !== '0' ? MINUS : '') + text.replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** Fixed decimals, typographic minus, a dash for what is not a number. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return DASH;
  return value.toFixed(digits).replace('-', MINUS);
}

/**
 * A figure with `digits` significant digits and no exponent between 0.001 and 99 999; outside, as 2.1e−4.
 * Trailing zeros stay, so that a running figure keeps its width.
 */
export function formatSignificant(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return DASH;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 99_999.5) {
    const [mantissa = '', exponent = '0'] = value.toExponential(Math.max(0, Math.min(digits, 3) - 1)).split('e');
    return `${mantissa}e${exponent.replace('+', '')}`.replaceAll('-', MINUS);
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return formatFixed(value, Math.min(decimals, 6));
}

/** A share in [0, 1] as per cent: more digits when it is small, as for a tail that has nearly gone. */
export function formatPercent(share: number, digits = share < 0.01 && share > 0 ? 3 : 1): string {
  return Number.isFinite(share) ? `${formatFixed(share * 100, digits)}${THIN}%` : DASH;
}

/** A setting as short as it can be written: 0.01, 4e−4, 5. */
export function formatSetting(value: number): string {
  if (!Number.isFinite(value)) return DASH;
  const plain = String(Number(value.toPrecision(4)));
  const scientific = Number(value.toPrecision(4)).toExponential().replace('e+', 'e');
  return (plain.length <= 5 || plain.length <= scientific.length ? plain : scientific).replaceAll('-', MINUS);
}

/** A name on the value axis of a line chart. */
export function tickText(kind: 'loss' | 'accuracy' | 'regularizer' | 'lr', value: number): string {
  if (kind === 'accuracy') return `${Number((value * 100).toFixed(value < 0.01 ? 2 : value * 1000 === Math.round(value * 1000) ? 1 : 0))}%`;
  if (kind === 'loss' && value >= 0.1) return Number.isInteger(Number((value * 10).toFixed(6))) ? value.toFixed(1) : formatSetting(value);
  return formatSetting(value);
}

/** A figure of a run on a line chart. */
export function valueText(kind: 'loss' | 'accuracy' | 'regularizer' | 'lr', value: number): string {
  if (!Number.isFinite(value)) return '';
  if (kind === 'loss') return formatFixed(value, 3);
  return kind === 'accuracy' ? formatPercent(value, 1) : kind === 'lr' ? formatSetting(value) : formatSignificant(value, 3);
}

/** "λ 0.001 → 0.01", the label of a change made while the run went on. */
export const formatMark = (mark: Mark): string => `${labelOf(mark.field)} ${formatSetting(mark.from)} → ${formatSetting(mark.to)}`;

/** Singular values on an axis: 10, 1, 0.1, 0.001, then 1e−4. */
export function formatDecade(exponent: number): string {
  if (exponent > 4 || exponent < -3) return `1e${exponent < 0 ? MINUS : ''}${Math.abs(exponent)}`;
  return exponent >= 0 ? String(10 ** exponent) : (10 ** exponent).toFixed(-exponent);
}

const KIND: Record<MatrixKind, string> = {
  q: 'Q',
  k: 'K',
  v: 'V',
  qkv: 'QKV',
  proj: 'proj',
  fc1: 'fc1',
  fc2: 'fc2',
  head: 'head',
  patch_embed: 'patch embedding',
};

/** Short column name of a kind of matrix. */
export const kindLabel = (kind: MatrixKind): string => KIND[kind];

/** "Block 7 fc1", or "head" for what stands outside the blocks; a slice with its rows. */
export function matrixLabel(matrix: Pick<MatrixPlan, 'block' | 'kind' | 'slice'>): string {
  const rows = matrix.slice ? ` ${sliceLabel(matrix.slice)}` : '';
  if (matrix.block >= 0) return `Block ${matrix.block} ${KIND[matrix.kind]}${rows}`;
  const label = KIND[matrix.kind];
  return label.charAt(0).toUpperCase() + label.slice(1) + rows;
}

/** "rows 0–23" of the rows [0, 24). */
export const sliceLabel = ([from, to]: readonly [number, number]): string => `rows ${from}–${to - 1}`;

/** "768 × 192". */
export const matrixSize = (matrix: Pick<MatrixPlan, 'rows' | 'cols'>, space = ' '): string =>
  `${matrix.rows}${space}×${space}${matrix.cols}`;
