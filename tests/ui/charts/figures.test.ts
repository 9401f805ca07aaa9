import { describe, expect, it } from 'vitest';
import {
  formatDecade,
  formatFixed,
  formatInt,
  formatMark,
  formatPercent,
  formatSetting,
  formatSignificant,
  matrixLabel,
} from '../../../app/ui/charts/format';
import { indexAt, mainLine, nearestStep, valueAxis, valuesAt } from '../../../app/ui/charts/chartData';
import {
  decadesWithin,
  logTicks,
  niceCeil,
  niceDomain,
  niceTicks,
  stepWindow,
  topDecade,
  wallDecades,
} from '../../../app/ui/charts/scales';
import { q3rFigures } from '../../../app/ui/charts/formulaFigures';
import { decadeY, indexX, isRankHigh, lastKept } from '../../../app/ui/charts/spectrum';
import { betweenTargets } from '../../../app/ui/lessons/measure';
import { curveOf, scaleOf, series, spectra } from './synthetic';

it('a lesson compares the same values of every matrix before and after its target rank has moved', () => {
  const [first, second] = spectra({ blocks: 1, width: 16, progress: 0, dense: true });
  const before = [first, second].map((m, k) => ({
    ...m!,
    targetRank: 2 * (k + 1),
    sigma: new Float32Array(16).map((_, i) => 1 / (i + 1)),
  }));
  const after = [first, second].map((m, k) => ({
    ...m!,
    targetRank: 4 * (k + 1),
    sigma: before[k]!.sigma.map((s, i) => s * (i < 2 * (k + 1) ? 9 : i < 4 * (k + 1) ? 3 : 0.5)),
  }));
  expect(betweenTargets(before, after)).toEqual({ between: expect.closeTo(3, 5) as number, past: expect.closeTo(0.5, 5) as number });
  expect(betweenTargets(after, before).between).toBeCloseTo(1 / 3, 5);
  expect(betweenTargets(before, before)).toEqual({ between: NaN, past: 1 });
});

describe('formatting', () => {
  it('groups thousands and uses a typographic minus', () => {
    expect(formatInt(12480)).toBe('12\u2009480');
    expect(formatInt(-1234567)).toBe('−1\u2009234\u2009567');
    expect(formatFixed(-3, 1)).toBe('−3.0');
    for (const format of [formatInt, (x: number) => formatFixed(x, 2), formatSignificant, formatPercent, formatSetting])
      expect(format(NaN)).toBe('–');
  });
  it('keeps significant digits without an exponent where that is short', () => {
    expect(formatSignificant(5.1389)).toBe('5.139');
    expect(formatSignificant(0.86014)).toBe('0.8601');
    expect(formatSignificant(0.86, 3)).toBe('0.860');
    expect(formatSignificant(2.14e-4, 2)).toBe('2.1e−4');
    expect(formatSignificant(1e8)).toBe('1.00e8');
    expect(formatSignificant(12345)).toBe('12345');
    expect(formatSignificant(0)).toBe('0');
  });
  it('writes shares, settings, decades and marks', () => {
    expect(formatPercent(0.368)).toBe('36.8\u2009%');
    expect(formatPercent(0.00306)).toBe('0.306\u2009%');
    expect([0.01, 4e-4, 5, 1e-3, 0.25, 100000].map(formatSetting)).toEqual(['0.01', '4e−4', '5', '0.001', '0.25', '1e5']);
    expect([2, 1, 0, -1, -3, -4].map(formatDecade)).toEqual(['100', '10', '1', '0.1', '0.001', '1e−4']);
    expect(formatMark({ step: 1, field: 'method.lambda', from: 0.001, to: 0.01 })).toBe('λ 0.001 → 0.01');
    expect(matrixLabel({ block: 7, kind: 'fc1' })).toBe('Block 7 fc1');
    expect(matrixLabel({ block: -1, kind: 'patch_embed' })).toBe('Patch embedding');
  });
});

describe('scales', () => {
  it('rounds up to 1, 2 and 5', () => {
    expect([0.3, 1, 1.1, 2.1, 5.2, 19551].map(niceCeil)).toEqual([0.5, 1, 2, 5, 10, 20000]);
  });
  it('puts about as many ticks as wanted inside the range', () => {
    expect(niceTicks(0, 0.9, 4)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
    expect(niceTicks(0.3, 2.4, 4)).toEqual([0.5, 1, 1.5, 2]);
    expect(niceTicks(1, 1, 4)).toEqual([1]);
    for (let k = 1; k < 200; k++) {
      const low = k * 0.37;
      const ticks = niceTicks(low, low + k * 0.11, 4);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(8);
      for (const t of ticks) expect(t >= low - 1e-9 && t <= low + k * 0.11 + 1e-9).toBe(true);
    }
  });
  it('gives a domain that holds the data and never goes below zero for positive data', () => {
    expect(niceDomain(0.01, 2)[0]).toBe(0);
    const [low, high] = niceDomain(0.41, 2.33);
    expect(low).toBeLessThan(0.41);
    expect(low).toBeGreaterThan(0.2);
    expect(high).toBeGreaterThan(2.33);
    expect(niceDomain(NaN, 1)).toEqual([0, 1]);
    const flat = niceDomain(2.3, 2.3);
    expect(flat[1]).toBeGreaterThan(flat[0]);
  });
  it('thins logarithmic ticks and keeps them inside', () => {
    expect(logTicks(0.1, 3, 6)).toEqual([0.1, 0.2, 0.5, 1, 2]);
    expect(logTicks(1e-6, 1, 4).length).toBeLessThanOrEqual(4);
  });
  it('opens the horizontal axis as the run goes on, to the whole run at last', () => {
    expect(stepWindow(0, 19550)).toBe(20);
    expect(stepWindow(100, 19550)).toBe(200);
    expect(stepWindow(9000, 19550)).toBe(19550);
    expect(stepWindow(60, 120)).toBe(120);
    expect(stepWindow(300, 0)).toBe(500);
    for (let step = 1; step <= 5000; step++) {
      const window = stepWindow(step, 5000);
      expect(window).toBeGreaterThanOrEqual(step);
      expect(window).toBeLessThanOrEqual(5000);
    }
  });
  it('holds the top decade still until the data leave it', () => {
    const at = (largest: number, previous?: number) => {
      const [matrix] = spectra({ blocks: 1, width: 8, progress: 0, dense: true });
      return topDecade([[{ ...matrix!, sigma: Float32Array.of(largest, 0) }]], previous);
    };
    const first = at(0.55);
    expect(10 ** first).toBeGreaterThan(0.55);
    expect(at(0.3, first)).toBe(first);
    expect(at(0.3)).toBeLessThan(first);
    expect(at(4, first)).toBeGreaterThan(Math.log10(4));
    expect(at(0.05, first)).toBeLessThan(first);
    expect(at(NaN, 0.5)).toBe(0.5);
    expect(topDecade([undefined])).toBe(0);
  });
  it('maps index and decade into the box', () => {
    const box = { x: 10, y: 20, width: 100, height: 50 };
    expect(indexX(box, 0, 101)).toBe(10);
    expect(indexX(box, 100, 101)).toBe(110);
    expect(indexX(box, 0, 1)).toBe(10);
    const decades = wallDecades(1);
    expect(decadeY(box, decades, 1)).toBe(20);
    expect(decadeY(box, decades, -2)).toBe(70);
    expect(decadeY(box, decades, -30)).toBe(70);
    expect(decadeY(box, decades, 9)).toBe(20);
    expect(decadesWithin({ low: -2.15, high: 0.85 })).toEqual([-2, -1, 0]);
  });
  it('tells kept from tail, also at full rank', () => {
    const sigma = new Float32Array(192);
    expect(lastKept({ targetRank: 38, sigma })).toBe(37);
    expect(lastKept({ targetRank: 500, sigma })).toBe(191);
    expect(isRankHigh({ sigma, targetRank: 38, effectiveRank: 40 })).toBe(false);
    expect(isRankHigh({ sigma, targetRank: 38, effectiveRank: 135 })).toBe(true);
    expect(isRankHigh({ sigma, targetRank: 192, effectiveRank: 190 })).toBe(false);
  });
  it('sums min(σ, ε)² as the value of the worker does', () => {
    for (const matrix of spectra({ blocks: 1, width: 24, progress: 0.7, dense: false }))
      // Both sums are float64 over the same 24 float32 values.
      expect(0.01 * q3rFigures(matrix).envelope).toBeCloseTo(matrix.value, 12);
  });
});

describe('chart data', () => {
  it('reads the last point up to a step, and no point that is not there', () => {
    const run = series(1000, 1000, 3, false, 300);
    expect(valuesAt(run, 650).accuracy).toBe(run.evalAccuracy[1]);
    expect(valuesAt(run, 299).accuracy).toBe(run.accuracySmooth[indexAt(run.step, 299)]);
    expect(valuesAt(run, Infinity).loss).toBe(run.lossSmooth.at(-1));
    expect(valuesAt(run, 0).loss).toBeNaN();
  });
  it('does not let what is not finite into an axis', () => {
    const run = series(10, 10);
    run.loss[3] = Infinity;
    run.lossSmooth[3] = NaN;
    const axis = valueAxis('loss', [curveOf(run)], scaleOf(10), true, 4);
    expect(axis.domain.every(Number.isFinite)).toBe(true);
  });
  it('names no more places of the accuracy than there is room for', () => {
    for (const top of [0.09, 0.2, 0.46, 0.52, 0.63, 0.88, 1])
      for (const count of [2, 3, 4, 5]) {
        const run = series(400, 400, 3, false, 100);
        run.evalAccuracy.fill(top);
        run.accuracySmooth.fill(top);
        const { ticks } = valueAxis('accuracy', [curveOf(run)], scaleOf(400), false, count);
        expect(ticks.length, `${top} in ${count}: ${ticks.join()}`).toBeLessThanOrEqual(count);
        expect(ticks.length).toBeGreaterThan(0);
      }
  });
  it('keeps all main curves inside the axis and zeros off a log axis', () => {
    const curves = [curveOf(series(5000, 5000)), curveOf(series(4000, 5000, 9, true), 3)];
    const x = scaleOf(5000);
    for (const kind of ['loss', 'accuracy', 'regularizer', 'lr'] as const) {
      const { domain, ticks } = valueAxis(kind, curves, x, false, 4);
      expect(ticks.length).toBeGreaterThan(1);
      for (const { series: s } of curves)
        for (const value of Array.from(mainLine(kind, s).value)) expect(value >= domain[0] && value <= domain[1]).toBe(true);
    }
    const zero = valueAxis('regularizer', [curveOf(series(50, 50, 3, true))], x, true, 4);
    expect([zero.log, zero.misses]).toEqual([false, false]);
    expect(valueAxis('regularizer', curves, x, true, 4)).toMatchObject({ log: true, misses: true });
    expect(valueAxis('loss', curves, x, true, 4).domain[0]).toBeGreaterThan(0);
    expect(valueAxis('loss', [], x, false, 4).ticks.length).toBeGreaterThan(0);
  });
  it('finds the real step next to the cursor', () => {
    const steps = Float64Array.of(1, 5, 9, 20);
    expect([0, 1, 4, 9, 99].map((s) => indexAt(steps, s))).toEqual([-1, 0, 0, 2, 3]);
    expect([-5, 2, 4, 14, 15, 99].map((s) => nearestStep(steps, s))).toEqual([1, 1, 5, 9, 20, 20]);
    expect(nearestStep(new Float64Array(), 3)).toBeNull();
  });
});
