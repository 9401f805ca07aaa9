import { describe, expect, it } from 'vitest';
import { MAX_COLUMNS, MAX_ROWS, SpectraHistory } from '../../../app/ui/charts/spectraHistory';
import { spectra } from './synthetic';

const flat = (log: number, width = 4) =>
  spectra({ blocks: 1, width, progress: 0, dense: true }).map((m) => ({ ...m, sigma: new Float32Array(m.sigma.length).fill(10 ** log) }));
const NAME = 'blocks.0.mlp.fc1.weight';
const column = (history: SpectraHistory, c: number) => history.columns(NAME)!.values[c * history.columns(NAME)!.rows]!;

describe('SpectraHistory', () => {
  it('keeps each spectrum while there is room', () => {
    const history = new SpectraHistory();
    for (let s = 0; s < 10; s++) history.push(s * 5, flat(-s / 10));
    const all = history.columns(NAME)!;
    expect(all.count).toBe(10);
    expect([...all.from.slice(0, 10)]).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
    // log10 of a float32 power: 1e-6 is ten times its rounding.
    for (let c = 0; c < 10; c++) expect(Math.abs(column(history, c) + c / 10)).toBeLessThan(1e-6);
    expect(history.columns('nothing')).toBeNull();
  });
  it('merges neighbours into means and never exceeds its columns', () => {
    const history = new SpectraHistory();
    const total = MAX_COLUMNS * 5 + 7;
    for (let s = 1; s <= total; s++) {
      history.push(s, flat(-s / total));
      expect(history.columns(NAME)!.count).toBeLessThanOrEqual(MAX_COLUMNS);
    }
    const { count, from, to } = history.columns(NAME)!;
    expect(count).toBeGreaterThanOrEqual(MAX_COLUMNS / 2);
    expect(from[0]).toBe(1);
    expect(to[count - 1]).toBe(total);
    for (let c = 0; c < count; c++) {
      if (c > 0) expect(from[c]).toBe(to[c - 1]! + 1);
      // The mean of a straight line is its value in the middle of the column; 1e-5 covers the float32 running mean.
      expect(Math.abs(column(history, c) + (from[c]! + to[c]!) / 2 / total)).toBeLessThan(1e-5);
    }
  });
  it('forgets what a rollback undid, ignores a repeated step, starts anew with another model', () => {
    const history = new SpectraHistory();
    for (let s = 1; s <= 10; s++) history.push(s, flat(-s / 10));
    history.push(10, flat(3));
    expect(column(history, 9)).toBeCloseTo(-1, 5);
    history.push(4, flat(0.5));
    const { count, to } = history.columns(NAME)!;
    expect([count, to[count - 1]]).toEqual([4, 4]);
    history.push(11, flat(0, 8));
    expect(history.columns(NAME)).toMatchObject({ count: 1, n: 8 });
    history.clear();
    expect(history.columns(NAME)).toBeNull();
  });
  it('averages long spectra down to its rows', () => {
    const history = new SpectraHistory();
    const wide = spectra({ blocks: 1, width: MAX_ROWS * 2 + 10, progress: 0.5, dense: true });
    history.push(1, wide);
    const { rows, n, values } = history.columns(NAME)!;
    expect([rows, n]).toEqual([MAX_ROWS, MAX_ROWS * 2 + 10]);
    for (let r = 1; r < rows; r++) expect(values[r]).toBeLessThanOrEqual(values[r - 1]!);
  });
  it('draws zero and NaN below every floor', () => {
    const history = new SpectraHistory();
    history.push(
      1,
      flat(0).map((m) => ({ ...m, sigma: new Float32Array(4).fill(NaN) })),
    );
    expect(column(history, 0)).toBeLessThan(-20);
  });
});
