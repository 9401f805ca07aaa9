import type { MatrixSpectrum } from '../../protocol/messages';

export const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** Decades a wall cell shows, and how many more the large spectrum looks down. */
export const WALL_DECADES = 3;
export const LARGE_DECADES = 4.25;

/** Range of log10 σ. */
export interface Decades {
  readonly low: number;
  readonly high: number;
}

/**
 * Common top of all spectra: log10 of the largest σ, or of `least`, with a little air, rounded up to a quarter decade. Keeps `previous` until the
 * data leave it by the top or fall half a decade below it, so that the wall does not breathe while a run goes on.
 */
export function topDecade(sets: readonly (readonly MatrixSpectrum[] | undefined)[], previous?: number, least = 0): number {
  let largest = least;
  for (const matrices of sets) for (const { sigma } of matrices ?? []) if ((sigma[0] ?? 0) > largest) largest = sigma[0]!;
  if (!(largest > 0) || !Number.isFinite(largest)) return previous ?? 0;
  const wanted = Math.ceil((Math.log10(largest) + 0.06) * 4) / 4;
  if (previous !== undefined && wanted <= previous && wanted > previous - 0.5) return previous;
  return wanted;
}

export const wallDecades = (top: number): Decades => ({ low: top - WALL_DECADES, high: top });
export const largeDecades = (top: number): Decades => ({ low: top - LARGE_DECADES, high: top + 0.1 });

/** Whole decades inside a range. */
export function decadesWithin({ low, high }: Decades): number[] {
  const out: number[] = [];
  for (let d = Math.ceil(low - 1e-9); d <= high + 1e-9; d++) out.push(d);
  return out;
}

/** Smallest of 1, 2, 5 × 10ᵏ that is not below `x`. */
export function niceCeil(x: number): number {
  if (!(x > 0)) return 1;
  const base = 10 ** Math.floor(Math.log10(x) + 1e-12);
  for (const m of [1, 2, 5]) if (m * base >= x * (1 - 1e-9)) return m * base;
  return 10 * base;
}

/** Ticks at a round distance within [low, high], as near to `count` of them as 1, 2 and 5 allow. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const wide = niceCeil(span / Math.max(1, count));
  const narrow = niceCeil(wide * 0.4);
  const within = (d: number) => Math.floor(high / d + 1e-9) - Math.ceil(low / d - 1e-9) + 1;
  const distance = Math.abs(within(narrow) - count) < Math.abs(within(wide) - count) ? narrow : wide;
  const digits = Math.max(0, -Math.floor(Math.log10(distance) + 1e-9));
  const out: number[] = [];
  for (let i = Math.ceil(low / distance - 1e-9); i * distance <= high + distance * 1e-9; i++)
    out.push(Number((i * distance).toFixed(digits)));
  return out;
}

/**
 * Last step on the horizontal axis. The whole run once a third of it is done; before that a round window at most two and a half times as long as
 * what there is, so that the first minutes of a long run are not squeezed into its first pixels.
 */
export function stepWindow(step: number, totalSteps: number): number {
  const window = niceCeil(Math.max(step * 1.12, 20));
  return totalSteps > 0 && window * 2 >= totalSteps ? Math.max(totalSteps, step) : window;
}

/** Domain with air around [low, high], ends rounded so that it changes rarely. */
export function niceDomain(low: number, high: number): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const span = high > low ? high - low : Math.max(Math.abs(high), 1e-6) * 0.2;
  const unit = niceCeil(span / 24);
  const bottom = Math.floor((low - 0.02 * span) / unit) * unit;
  return [low >= 0 ? Math.max(0, bottom) : bottom, Math.ceil((high + 0.02 * span) / unit) * unit];
}

/** Ticks of a logarithmic axis: 1, 2, 5 per decade, thinned until at most `count` are left. */
export function logTicks(low: number, high: number, count: number): number[] {
  const make = (steps: readonly number[], every = 1) => {
    const out: number[] = [];
    for (let d = Math.floor(Math.log10(low)); d <= Math.ceil(Math.log10(high)); d++) {
      if (d % every !== 0) continue;
      for (const m of steps) {
        const tick = Number((m * 10 ** d).toPrecision(1));
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) out.push(tick);
      }
    }
    return out;
  };
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const out = make(steps);
    if (out.length <= count && out.length > 0) return out;
  }
  for (let every = 2; every < 20; every++) {
    const out = make([1], every);
    if (out.length <= count) return out;
  }
  return [];
}
