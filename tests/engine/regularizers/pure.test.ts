import { describe, expect, test } from 'vitest';
import type { MatrixStatus } from '../../../app/engine/linalg/svdBatch';
import { spectrumFigures } from '../../../app/engine/regularizers/q3r/figures';
import { SketchController } from '../../../app/engine/regularizers/q3r/sketchController';
import { targetRank } from '../../../app/engine/regularizers/q3r/targetRank';

test('target ranks: shares of either side, integers times the aspect ratio, in double precision', () => {
  expect(targetRank(0.2, 192, 192, 'min')).toBe(38);
  expect(targetRank(0.2, 192, 768, 'min')).toBe(38);
  expect(targetRank(0.2, 192, 768, 'max')).toBe(153);
  expect(targetRank(16, 768, 192, 'min')).toBe(64);
  expect(targetRank(2, 16, 48, 'max')).toBe(6);
  expect(targetRank(5, 48, 20, 'min')).toBe(12);
  expect(targetRank(0, 48, 16, 'min')).toBe(0);
  // 0.29 · 100 is 28.999… in double precision: the floor is 28, as in the reference.
  expect(targetRank(0.29, 100, 100, 'min')).toBe(28);
});

test('figures of a spectrum', () => {
  const flat = spectrumFigures([2, 2, 2, 2], 1);
  expect(flat.effectiveRank).toBeCloseTo(4, 12);
  expect(flat.stableRank).toBeCloseTo(4, 12);
  expect(flat.tailRatio).toBeCloseTo(0.25, 12);
  const one = spectrumFigures([3, 0, 0], 1);
  expect([one.effectiveRank, one.stableRank, one.tailRatio]).toEqual([1, 1, 1]);
  expect(spectrumFigures([0, 0], 1)).toEqual({ effectiveRank: 0, stableRank: 0, tailRatio: 0 });
});

describe('sketch controller', () => {
  const calm: MatrixStatus = {
    converged: true,
    sketch: 12,
    sweeps: 2,
    refreshes: 1,
    envelope: 3,
    clipped: false,
    coarse: false,
    unfinished: false,
    fromNothing: false,
    scale: 1,
    norm2: 1,
    epsilon: 1,
    off: 1e-4,
    residual: 1e-3,
    eta: 2e-4,
    edge: 0.5,
  };
  const make = (exact = false) => new SketchController({ sizes: [64, 64], ranks: [12, 64], exact, oversample: 8, powerIterations: 1 });
  /** A controller that has got to plain sketches. */
  const settled = () => {
    const c = make();
    c.next(undefined);
    for (let i = 0; i < 3; i++) c.next([calm, calm]);
    return c;
  };

  test('starts exact, watches two refreshes, then trusts the sketch', () => {
    const c = make();
    expect(c.next(undefined)).toMatchObject({ kind: 'cold', sketches: [21, 64] });
    expect([1, 2, 3].map(() => c.next([calm, calm]).kind)).toEqual(['guarded', 'guarded', 'sketch']);
  });

  test('guards where the sketch ends near ε, grows where it is too near or clipped, never shrinks', () => {
    const c = settled();
    expect(c.next([{ ...calm, edge: 0.93 }, calm])).toMatchObject({ kind: 'guarded', sketches: [21, 64] });
    expect(c.next([{ ...calm, edge: 0.98 }, calm])).toMatchObject({ kind: 'guarded', sketches: [42, 64] });
    expect(c.next([calm, calm])).toMatchObject({ kind: 'sketch', sketches: [42, 64] });
    // All columns of all regularized matrices: there is nothing left to sketch.
    expect(c.next([{ ...calm, clipped: true }, calm])).toMatchObject({ kind: 'cold', sketches: [64, 64] });
    expect(c.next([calm, calm])).toMatchObject({ kind: 'exact' });
  });

  test('a coarse subspace gets more iterations, a very good one fewer', () => {
    const c = settled();
    expect(c.next([{ ...calm, eta: 1.4e-3 }, calm])).toMatchObject({ kind: 'sketch', powers: 2 });
    expect(c.next([{ ...calm, eta: 4e-3, coarse: true }, calm])).toMatchObject({ kind: 'guarded', powers: 4, sketches: [21, 64] });
    // Near ε more columns do more than more iterations.
    expect(c.next([{ ...calm, eta: 4e-3, coarse: true, edge: 0.92 }, calm])).toMatchObject({
      kind: 'guarded',
      powers: 4,
      sketches: [42, 64],
    });
    expect([1, 2, 3, 4].map(() => c.next([{ ...calm, eta: 1e-5 }, calm]).powers)).toEqual([3, 2, 1, 1]);
  });

  test('a matrix that is not regularized decides nothing', () => {
    const c = settled();
    expect(c.next([calm, { ...calm, edge: 2, clipped: true, eta: 1 }])).toMatchObject({ kind: 'sketch', powers: 1, sketches: [21, 64] });
  });

  test('sweeps follow what was needed; all of them after an unfinished refresh', () => {
    const c = settled();
    expect(c.next([{ ...calm, sweeps: 4 }, calm]).sweeps).toBe(6);
    expect(c.next([{ ...calm, converged: false, unfinished: true }, calm])).toMatchObject({ kind: 'guarded', sweeps: 12 });
    // One from nothing says nothing of an exact one from its vectors.
    const cold = { ...calm, fromNothing: true };
    expect(settled().next([cold, calm]).sweeps).toBe(4);
    const exact = make(true);
    exact.next(undefined);
    expect(
      [
        [cold, calm],
        [calm, calm],
      ].map((status) => exact.next(status).sweeps),
    ).toEqual([12, 6]);
  });

  test('exact mode never sketches', () => {
    const c = make(true);
    expect([c.next(undefined).kind, c.next([calm, calm]).kind, c.next([{ ...calm, eta: 1 }, calm]).kind]).toEqual([
      'cold',
      'exact',
      'exact',
    ]);
  });

  test('a saved state makes the same decisions', () => {
    const c = settled();
    c.next([{ ...calm, eta: 1.4e-3, edge: 0.98 }, calm]);
    const saved = c.save();
    const ahead = [1, 2].map(() => c.next([{ ...calm, eta: 1.4e-3 }, calm]));
    const other = make();
    other.restore(saved);
    expect([1, 2].map(() => other.next([{ ...calm, eta: 1.4e-3 }, calm]))).toEqual(ahead);
  });
});
