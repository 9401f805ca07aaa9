import { act, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import '../../../app/ui/styles/index.css';
import { defaultExperiment, type MethodConfig, type MethodName } from '../../../app/protocol/experiment';
import type { MatrixSpectrum } from '../../../app/protocol/messages';
import { Formula, parseFormula } from '../../../app/ui/charts/Formula';
import {
  hoyerFigures,
  hoyerSlope,
  nextEpsilon,
  pulled,
  q3rFigures,
  refreshesUntil,
  schatten,
  surrogate,
  weightOf,
} from '../../../app/ui/charts/formulaFigures';
import { FormulaPanelView } from '../../../app/ui/charts/FormulaPanelView';
import { pow } from '../../../app/ui/charts/formulaText';
import { useSlow } from '../../../app/ui/charts/useSlow';
import { indexUnder, weightsBox } from '../../../app/ui/charts/weightsPaint';
import { operator64, smoothed } from '../../reference/q3r';
import { svd64 } from '../../reference/svd';
import { random, spectrumOf } from './synthetic';

const ROWS = 9;
const COLS = 7;
const next = random(7);
const weights = Float64Array.from({ length: ROWS * COLS }, () => next() - 0.5);
const anchor = svd64(weights, ROWS, COLS);
const plan = { name: 'w', block: 0, kind: 'fc1', rows: ROWS, cols: COLS, targetRank: 3, regularized: true } as const;
const matrix = (change: Partial<MatrixSpectrum> = {}): MatrixSpectrum => ({ ...spectrumOf(plan, Float32Array.from(anchor.s)), ...change });

describe('figures of Q3R', () => {
  // The figures are sums in float64 over singular values rounded to float32: six to seven digits agree.
  const close = (got: number, wanted: number) => expect(Math.abs(got - wanted)).toBeLessThanOrEqual(2e-6 * Math.abs(wanted));

  it.each([0.2, anchor.s[3]!, 0.9, 1e8])('agree with the float64 formulas at ε = %d', (epsilon) => {
    const f = q3rFigures(matrix({ epsilon }));
    close(f.surrogate, smoothed(anchor.s, epsilon));
    const r = operator64(anchor, epsilon, weights, ROWS, COLS);
    close(f.pull, Math.hypot(...r));
    close(f.norm, Math.hypot(...weights));
    // ⟨W, R(W)⟩ = Σ min(σ, ε)².
    close(
      f.envelope,
      r.reduce((sum, x, i) => sum + x * weights[i]!, 0),
    );
    // The singular values of R(W), value by value: those of R are not in the order of those of W.
    const pulledOnes = Float64Array.from(anchor.s, (s) => pulled(s, epsilon)).sort((a, b) => b - a);
    svd64(r, ROWS, COLS).s.forEach((s, i) => close(pulledOnes[i]!, s));
    expect(f.above).toBe(anchor.s.filter((s) => Math.fround(s) > epsilon).length);
    anchor.s.forEach((s) => close(weightOf(s, epsilon), 1 / Math.max(s / epsilon, 1)));
    close(f.next, anchor.s[3]!);
  });

  it('the gradient of the surrogate is the operator', () => {
    for (const epsilon of [0.3, 0.8])
      for (const s of [0.05, 0.29, 0.31, 1.7]) {
        // Central differences of f in float64: the error is of order h².
        const h = 1e-5;
        expect((surrogate(s + h, epsilon) - surrogate(s - h, epsilon)) / (2 * h)).toBeCloseTo(pulled(s, epsilon), 6);
      }
  });

  it('are finite for a zero matrix, a zero ε and before the first refresh', () => {
    const zero = q3rFigures(matrix({ sigma: new Float32Array(7), epsilon: 0 }));
    expect(zero).toMatchObject({ surrogate: 0, envelope: 0, pull: 0, norm: 0, above: 0, waiting: false });
    expect(q3rFigures(matrix({ epsilon: 0 }))).toMatchObject({ surrogate: 0, pull: 0, above: 7 });
    expect([weightOf(0, 0), weightOf(1, 0), pulled(0, 0), pulled(1, 0), surrogate(0, 0)]).toEqual([1, 0, 0, 0, 0]);
    for (const epsilon of [NaN, 1e8]) {
      const f = q3rFigures(matrix({ epsilon }));
      expect(f).toMatchObject({ waiting: true, epsilon: 1e8, above: 0 });
      expect(f.pull).toBe(f.norm);
    }
  });
});

describe('the next ε', () => {
  const f = (epsilon: number, past: number) => ({ epsilon, next: past, waiting: epsilon >= 1e8 });
  it('follows the schedule', () => {
    expect(nextEpsilon(f(0.5, 0.7), 'default', 100, 3).epsilon).toBe(0.5);
    expect(nextEpsilon(f(0.5, 0.3), 'default', 100, 3).epsilon).toBe(0.3);
    expect(nextEpsilon(f(1e8, 0.3), 'default', 100, 0).epsilon).toBe(0.3);
    expect(nextEpsilon(f(0.5, 0.7), 'exploration', 100, 3).epsilon).toBe(0.7);
    expect(nextEpsilon(f(0.5, 0.7), 'constant', 0.01, 3).epsilon).toBe(0.01);
    expect(nextEpsilon(f(1e8, 0.7), 'linear', 100, 0).epsilon).toBe(0.7);
  });
  it('on the linear schedule is the next member of its sequence, from ε alone', () => {
    const N = 40;
    const first = 0.8;
    const c = (1e-5 / first) ** (1 / N);
    for (let k = 0; k < N - 1; k++) {
      const { epsilon, factor } = nextEpsilon(f(Math.fround(c ** k * first), 0.3), 'linear', N, k + 1);
      // ε is known in float32; solving for ε₀ divides its rounding by N − k.
      expect(Math.abs(epsilon / (c ** (k + 1) * first) - 1)).toBeLessThan(3e-7);
      expect(factor).toBeCloseTo(c, 6);
    }
    expect(nextEpsilon(f(1e-5, 0.3), 'linear', N, 60).epsilon).toBe(1e-5);
  });
  it('counts refreshes through changes of the period', () => {
    const by = (period: (t: number) => number, step: number) => {
      let count = 0;
      for (let t = 1; t <= step; t++) if ((t - 1) % period(t) === 0) count++;
      return count;
    };
    for (const step of [0, 1, 5, 6, 21, 22, 100]) {
      expect(refreshesUntil(step, 5)).toBe(by(() => 5, step));
      const marks = [
        { step: 20, field: 'method.reweightEvery', from: 5, to: 7 },
        { step: 10, field: 'method.lambda', from: 1, to: 2 },
        { step: 50, field: 'method.reweightEvery', from: 7, to: 1 },
      ];
      expect(refreshesUntil(step, step <= 20 ? 5 : step <= 50 ? 7 : 1, marks)).toBe(by((t) => (t <= 20 ? 5 : t <= 50 ? 7 : 1), step));
    }
  });
});

describe('other techniques', () => {
  const sigma = Float32Array.from([3, 2, 0.5]);
  it('Hoyer: value and slope agree with finite differences', () => {
    for (const square of [false, true]) {
      const f = hoyerFigures(sigma, square);
      const value = (s: readonly number[]) => {
        const ratio = s.reduce((a, b) => a + b) / Math.hypot(...s);
        return (square ? ratio ** 2 : ratio) - 1;
      };
      expect(f.value).toBeCloseTo(value([3, 2, 0.5]), 12);
      expect(hoyerSlope(f.threshold, f, square)).toBeCloseTo(0, 12);
      [3, 2, 0.5].forEach((s, i, all) => {
        const h = 1e-5;
        const at = (d: number) => value(all.map((x, j) => (i === j ? x + d : x)));
        expect(hoyerSlope(s, f, square)).toBeCloseTo((at(h) - at(-h)) / (2 * h), 8);
      });
    }
    expect(hoyerFigures(new Float32Array(3), false)).toEqual({ one: 0, two: 0, value: 0, threshold: 0 });
    expect(hoyerSlope(0, { one: 0, two: 0 }, true)).toBe(0);
  });
  it('LoRITa: the sum that decay of the factors lowers', () => {
    expect(schatten(sigma, 1)).toBeCloseTo(9 + 4 + 0.25, 12);
    expect(schatten(sigma, 2)).toBeCloseTo(5.5, 12);
  });
});

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
let root: Root;
let host: HTMLElement;
beforeEach(() => {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  host = document.createElement('div');
  host.style.width = '324px';
  document.body.append(host);
  root = createRoot(host);
});
afterEach(async () => {
  await act(async () => root.unmount());
  host.remove();
});
const show = (node: ReactNode) => act(async () => root.render(node));
const base = defaultExperiment();
const panel = (m: MatrixSpectrum | null, name: MethodName = 'adamq3r', method: Partial<MethodConfig> = {}) => (
  <FormulaPanelView
    matrix={m}
    method={{ ...base.method, name, lambda: 0.01, ...method }}
    train={base.train}
    lr={4e-4}
    step={11}
    marks={[]}
  />
);
const explain = () => act(async () => [...host.querySelectorAll('button')].find((b) => b.textContent === 'Explain')!.click());
const words = () => (host.querySelector('dialog')?.textContent ?? '').replaceAll(/\s+/g, ' ');

describe('formulas', () => {
  it('become MathML, with ε in its colour, and are said in words', async () => {
    await show(
      <Formula say="in words">{'f_ε (σ) = \\cases{ \\frac{σ^2}{2} & σ ≤ ε ; ε^2 ( \\ln \\frac{σ}{ε} + \\frac{1}{2} ) & σ > ε }'}</Formula>,
    );
    const math = host.querySelector('math')!;
    expect(math.namespaceURI).toContain('MathML');
    expect(math.getAttribute('aria-hidden')).toBe('true');
    expect(math.querySelectorAll('mtr')).toHaveLength(2);
    expect(math.querySelectorAll('mfrac')).toHaveLength(3);
    expect(math.querySelectorAll('mi.epsilon')).toHaveLength(5);
    expect(host.querySelector('.sr')?.textContent).toBe('in words');
  });
  it('are refused when they are not closed', () => {
    for (const text of ['{a', '\\frac{a}', 'a_', '\\cases{a & b', '}']) expect(() => parseFormula(text)).toThrow(/formula/);
  });
  it('numbers with an exponent become powers of ten', () => {
    expect(pow('2.1e−4')).toBe('{2.1 · 10^{−4}}');
    expect(pow('1e8')).toBe('{10^{8}}');
    expect(pow('0.25')).toBe('{0.25}');
  });
});

describe('the panel', () => {
  it('shows the two formulas of the matrix with its numbers', async () => {
    await show(panel(matrix()));
    expect(host.querySelectorAll('math')).toHaveLength(2);
    const numbers = [...host.querySelectorAll('math')[1]!.querySelectorAll('mn')].map((n) => Number(n.textContent)).slice(-3);
    // Three significant digits of both factors.
    expect(numbers[0]! * numbers[1]! - numbers[2]!).toBeCloseTo(0, 3);
  });

  it.each([
    ['a dense run', matrix({ regularized: false, epsilon: NaN }), 'adamw', /Nothing: this is the dense baseline/],
    ['no spectrum yet', null, 'adamq3r', /as soon as a run has measured it/],
    ['a full target rank', matrix({ regularized: false, targetRank: 7 }), 'adamq3r', /Not regularized: the target rank .* 7, is not below/],
    ['a matrix that is not named', matrix({ regularized: false }), 'q3r', /not among the matrices/],
  ] as const)('%s: one sentence, nothing to explain', async (_, m, name, said) => {
    await show(panel(m, name));
    expect(host.textContent).toMatch(said);
    expect(host.querySelector('math')).toBeNull();
    expect(host.querySelector('button')).toBeNull();
  });

  it.each(['adamq3r', 'q3r'] as const)('%s: the walk has four steps that open and close, and closes itself', async (name) => {
    await show(panel(matrix(), name));
    await explain();
    const dialog = host.querySelector('dialog')!;
    expect(dialog.open).toBe(true);
    const steps = dialog.querySelectorAll('details');
    expect(steps).toHaveLength(4);
    const f = q3rFigures(matrix());
    expect(steps[0]!.querySelector('summary')!.textContent).toContain(f.surrogate.toPrecision(4));
    expect(words()).toContain(name === 'adamq3r' ? 'R(W) never enters' : 'R(W) is part of G');
    // 2 · lr · λ = 2 · 4e−4 · 0.01.
    if (name === 'adamq3r') expect(steps[3]!.querySelector('summary')!.textContent).toContain('8.00e−6');
    await act(async () => steps[1]!.querySelector('summary')!.click());
    expect(steps[1]!.open).toBe(false);
    await act(async () => {
      [...dialog.querySelectorAll('button')].find((b) => b.textContent === 'Close')!.click();
      // The browser's close event comes later.
      await new Promise((done) => dialog.addEventListener('close', done, { once: true }));
    });
    await vi.waitFor(() => expect(host.querySelector('dialog')).toBeNull());
  });

  it.each([
    ['default', /ε/],
    ['exploration', /up as well as down/],
    ['constant', /stays at N/],
    ['linear', /ends at 10⁻⁵/],
  ] as const)('the %s schedule is explained', async (epsilonSchedule, said) => {
    await show(panel(matrix(), 'adamq3r', { epsilonSchedule }));
    await explain();
    expect(words()).toMatch(said);
    for (const wrong of ['NaN', 'undefined', 'Infinity']) expect(words()).not.toContain(wrong);
  });

  it.each([
    ['zero', { sigma: new Float32Array(7), epsilon: 0 }],
    ['before the first refresh', { epsilon: NaN }],
    ['at an ε of 1e8', { epsilon: 1e8 }],
    ['with one singular value and a target rank of 0', { sigma: Float32Array.from([0.3]), targetRank: 0, epsilon: 0.3 }],
  ] as const)('a matrix that is %s has figures, none of them invented', async (what, change) => {
    for (const name of ['adamq3r', 'hoyer', 'hoyerSquare'] as const) {
      await show(panel(matrix(change), name));
      await explain();
      for (const wrong of ['NaN', 'undefined', 'Infinity']) expect(words()).not.toContain(wrong);
      if (name === 'adamq3r' && what !== 'zero' && 'epsilon' in change && !(change.epsilon < 1))
        expect(words()).toContain('still at its start');
      await act(async () => host.querySelector('dialog')!.close());
      // The browser's close event comes later: it would close the next one.
      await vi.waitFor(() => expect(host.querySelector('dialog')).toBeNull());
    }
  });

  it.each([
    ['hoyer', 'Hoyer', /norm two minus one/],
    ['hoyerSquare', 'Hoyer', /squared, minus one/],
    ['lora', 'LoRA', /alpha over r times A B/],
    ['lorita', 'LoRITa', /product of factors/],
    ['loritaQ3r', 'Q3R', /each factor with an ε of its own/],
  ] as const)('%s has a panel of its own', async (name, title, said) => {
    const factor = { name: 'factor', rows: 4, cols: 4, targetRank: 1, regularized: name === 'loritaQ3r' };
    const factored = {
      ...matrix({ regularized: name.startsWith('hoyer') }),
      ...(name.startsWith('lo') ? { factors: [factor, factor] } : {}),
    };
    await show(panel(factored, name));
    expect(host.querySelector('h2')?.textContent).toContain(title);
    expect(host.textContent).toMatch(said);
    await explain();
    expect(host.querySelectorAll('dialog details').length).toBeGreaterThan(0);
    expect(words()).not.toContain('NaN');
  });

  it('λ of a matrix of its own counts', async () => {
    await show(panel({ ...matrix(), lambdaScale: 2 }));
    await explain();
    expect(host.querySelectorAll('details')[3]!.querySelector('summary')!.textContent).toContain('1.60e−5');
  });
});

describe('the plot of the weights', () => {
  const slider = () => host.querySelector<HTMLElement>('[role=slider]')!;
  const press = (key: string) => act(async () => slider().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));

  it('is drawn, and read by pointer and keyboard', async () => {
    const m = matrix({ epsilon: 0.8 });
    await show(panel(m));
    await explain();
    await act(async () => new Promise((done) => setTimeout(done, 100)));
    const canvas = host.querySelector<HTMLCanvasElement>('.weights canvas')!;
    const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
    expect(pixels.some((v) => v !== 0)).toBe(true);
    await press('Home');
    expect(slider().getAttribute('aria-valuenow')).toBe('1');
    expect(slider().getAttribute('aria-valuetext')).toContain(`weight ${(0.8 / m.sigma[0]!).toFixed(4)}`);
    await press('ArrowRight');
    expect(slider().getAttribute('aria-valuenow')).toBe('2');
    await press('End');
    expect(slider().getAttribute('aria-valuetext')).toContain('weight 1.0000');
    expect(host.querySelector('.weights-read')!.textContent).toContain('weight 1.0000');
    const box = slider().getBoundingClientRect();
    await act(async () =>
      slider().dispatchEvent(
        new PointerEvent('pointermove', { clientX: box.left + weightsBox(box.width, box.height, 1).x, bubbles: true }),
      ),
    );
    expect(slider().getAttribute('aria-valuenow')).toBe('1');
  });

  it('finds the index under a place, at the ends and for a single value', () => {
    const box = { x: 30, y: 0, width: 100, height: 10 };
    expect([0, 30, 80, 130, 500].map((x) => indexUnder(x, box, 11))).toEqual([0, 0, 5, 10, 10]);
    expect(indexUnder(90, box, 1)).toBe(0);
  });
});

it('figures change at most five times a second, and the last one arrives', async () => {
  const renders: number[] = [];
  function Slow({ value }: { value: number }) {
    const slow = useSlow(value, 200);
    if (renders.at(-1) !== slow) renders.push(slow);
    return <b>{slow}</b>;
  }
  const from = performance.now();
  for (let i = 0; i < 30; i++) {
    await show(<Slow value={i} />);
    await act(async () => new Promise((done) => setTimeout(done, 20)));
  }
  const took = performance.now() - from;
  await act(async () => new Promise((done) => setTimeout(done, 400)));
  expect(host.textContent).toBe('29');
  expect(renders.length).toBeGreaterThan(2);
  expect(renders.length).toBeLessThanOrEqual(Math.ceil(took / 200) + 3);
});
