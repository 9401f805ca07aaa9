const MINUS = '\u2212';

/** A setting as it is typed: 0.01, 4e−4, 3000. Reads back with `parseNumber` to the same number. */
export function setting(value: number): string {
  const size = Math.abs(value);
  const plain = String(value);
  const out = (size !== 0 && size < 1e-3) || size >= 1e7 || plain.length > 9 ? value.toExponential().replace('e+', 'e') : plain;
  return out.replaceAll('-', MINUS);
}

/** Reads 0.01, 1e-3, 1e−3, "1 000", "5 steps"; NaN for anything else. */
export function parseNumber(typed: string, unit = ''): number {
  let plain = typed.trim().toLowerCase();
  if (unit && plain.endsWith(unit.toLowerCase())) plain = plain.slice(0, -unit.length);
  plain = plain
    .replaceAll(MINUS, '-')
    .replace(/[\s\u2009\u00a0']/g, '')
    .replace(/^(-?\d*),(\d+)$/, '$1.$2');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}

/** "12 Nov 2026", where the visitor is. */
export const day = (date: number): string =>
  new Date(date).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
