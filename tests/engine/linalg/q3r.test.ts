import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packStepState } from '../../../kernels/stepState';
import { Program, Recorder } from '../../../app/engine/gpu/recorder';
import { q3r } from '../../../app/engine/linalg/q3r';
import { Q3rBatch } from '../../../app/engine/linalg/q3rBatch';
import { SvdBatch } from '../../../app/engine/linalg/svdBatch';
import { spectralEntropy, spectrumFigures } from '../../../app/engine/regularizers/q3r/figures';
import { inner, objective, operator64, smoothed } from '../../reference/q3r';
import { svd64 } from '../../reference/svd';
import { goldenCases } from '../../support/golden';
import { maxError, relativeError, uniform, useGpu } from '../../support/gpu';
import { STATE } from '../../support/stepState';

const gpu = useGpu();
type F32 = Float32Array<ArrayBuffer>;

describe('golden operator', () => {
  interface Params {
    target_rank: number;
    schedule: 'default' | 'constant';
    N: number;
    lambda: number;
    eps_start: number;
  }

  test('20 cases: σ, ε, envelope, value and gradient at W and at X, figures of the spectrum', async () => {
    const g = gpu();
    const cases = await goldenCases('q3r-operator');
    expect(cases).toHaveLength(20);
    // All matrices of one schedule and λ are one batch: what the trainer runs.
    const groups = new Map<string, typeof cases>();
    for (const c of cases) {
      const { schedule, N, lambda } = c.spec.params as Params;
      const key = `${schedule} ${N} ${lambda}`;
      groups.set(key, [...(groups.get(key) ?? []), c]);
    }
    for (const group of groups.values()) {
      const { schedule, N, lambda } = group[0]!.spec.params as Params;
      let end = 0;
      const matrices = group.map(({ spec, tensors }) => {
        const [rows, cols] = tensors.get(`${spec.id}.W`)!.shape as [number, number];
        const m = { name: spec.id, offset: end, rows, cols };
        end += rows * cols;
        return m;
      });
      const arenaOf = (name: string) => {
        const out = new Float32Array(end);
        group.forEach(({ spec, tensors }, i) => out.set(tensors.get(`${spec.id}.${name}`)?.data ?? [], matrices[i]!.offset));
        return g.upload(name, out);
      };
      const w = arenaOf('W');
      const x = arenaOf('X');
      const out = g.buffers.allocate('out', end * 4);
      const value = g.buffers.allocate('value', 16);
      const state = g.upload('state', new Uint8Array(packStepState({ ...STATE, lambda })));
      const svd = new SvdBatch(g, { matrices, arena: w });
      const operator = new Q3rBatch(g, svd, { epsilonSchedule: schedule, epsilonN: N });
      // As graphics cards do it.
      const tiled = new Q3rBatch(g, svd, { epsilonSchedule: schedule, epsilonN: N, tiled: true });
      svd.configure(
        group.map(({ spec }) => (spec.params as Params).target_rank),
        svd.layout.entries.map((e) => e.k),
      );
      await Promise.all([svd.build(), operator.build()]);
      Program.sequence(g, 'refresh', [{ program: svd.coldExact() }, operator.update('exact')]).run(4);
      const applied: { gradient: F32; values: F32; total: number }[] = [];
      for (const [by, at] of [
        [operator, w],
        [operator, x],
        [tiled, x],
      ] as const) {
        const r = new Recorder(g, 'apply');
        by.recordApply(r, { x: at, state, out, mode: 'write' });
        Q3rBatch.recordTotal(r, by.values, value);
        const program = await r.build();
        program.run();
        applied.push({
          gradient: await g.readFloats(out),
          values: await g.readFloats(by.values),
          total: (await g.readFloats(value))[0]!,
        });
        program.dispose();
      }
      const status = await svd.readStatus();
      const sigma = await g.readFloats(svd.sigma);
      group.forEach(({ spec, tensors }, i) => {
        const { id, expected, scalars = {} } = spec;
        const m = matrices[i]!;
        const e = svd.layout.entries[i]!;
        const s = sigma.slice(e.s, e.s + e.k);
        const near = (name: string, got: number) => {
          const { value: want, atol } = scalars[name]!;
          expect(Math.abs(got - want), `${id} ${name}: ${got}, not ${want}`).toBeLessThanOrEqual(atol! + 1e-7 * Math.abs(want));
        };
        const tensor = (name: string, got: F32) =>
          expect(maxError(got, tensors.get(`${id}.${name}`)!.data), `${id} ${name}`).toBeLessThanOrEqual(expected[`${id}.${name}`]!.atol);
        tensor('sigma', s);
        near('eps', status[i]!.epsilon);
        const [lo, hi] = scalars['r_env']!.accept!;
        expect(status[i]!.envelope).toBeGreaterThanOrEqual(lo);
        expect(status[i]!.envelope).toBeLessThanOrEqual(hi);
        applied.forEach(({ gradient, values }, which) => {
          const name = which === 0 ? 'W' : 'X';
          if (!tensors.has(`${id}.${name}`)) return;
          tensor(`grad_${name}`, gradient.slice(m.offset, m.offset + m.rows * m.cols));
          near(`value_${name}`, values[i]!);
        });
        const epsilon = scalars['eps']!.value;
        near('F_W', smoothed(s, epsilon));
        if (scalars['tail_ratio']) {
          const { effectiveRank, tailRatio } = spectrumFigures(s, (spec.params as Params).target_rank);
          near('spectral_entropy', spectralEntropy(s));
          near('effective_rank', effectiveRank);
          near('tail_ratio', tailRatio);
        }
      });
      for (const { values, total } of applied) {
        const sum = values.slice(0, group.length).reduce((a, b) => a + b, 0);
        expect(Math.abs(total - sum)).toBeLessThanOrEqual(1e-6 * Math.abs(sum));
      }
      operator.dispose();
      tiled.dispose();
      svd.dispose();
      for (const view of [w, x, out, value, state]) g.buffers.free(view);
    }
    expect(g.buffers.liveBytes).toBe(0);
  });

  test('one by one through q3r(): sizes from 48 × 16 on, constant ε as it was given', async () => {
    const cases = (await goldenCases('q3r-operator')).filter(({ spec }) =>
      ['gauss_48x16', 'overrank_16x48', 'smalleps_64x64', 'zero_64x48'].includes(spec.id),
    );
    for (const { spec, tensors } of cases) {
      const { target_rank: targetRank, lambda, eps_start: epsilon, schedule: epsilonSchedule, N: epsilonN } = spec.params as Params;
      const w = tensors.get(`${spec.id}.W`)!;
      const x = tensors.get(`${spec.id}.X`)!;
      const [rows, cols] = w.shape as [number, number];
      const options = { targetRank, lambda, epsilon, epsilonSchedule, epsilonN, x: { data: x.data as F32, rows, cols } };
      const got = await q3r(gpu(), { data: w.data as F32, rows, cols }, options);
      const { atol } = spec.expected[`${spec.id}.grad_X`]!;
      expect(maxError(got.gradient, tensors.get(`${spec.id}.grad_X`)!.data)).toBeLessThanOrEqual(atol);
      expect(Math.abs(got.epsilon - spec.scalars!['eps']!.value)).toBeLessThanOrEqual(spec.scalars!['eps']!.atol!);
    }
    expect(gpu().buffers.liveBytes).toBe(0);
  });

  test('refuses options that make no sense', async () => {
    const w = { data: new Float32Array(4), rows: 2, cols: 2 };
    const o = { targetRank: 1, lambda: 1, epsilon: 1e8 };
    await expect(q3r(gpu(), w, { ...o, targetRank: 0.5 })).rejects.toThrow(/targetRank/);
    await expect(q3r(gpu(), w, { ...o, epsilon: NaN })).rejects.toThrow(/epsilon/);
    await expect(q3r(gpu(), w, { ...o, epsilonSchedule: 'constant' })).rejects.toThrow(/epsilonN/);
    await expect(q3r(gpu(), w, { ...o, x: { data: new Float32Array(6), rows: 3, cols: 2 } })).rejects.toThrow(/3 × 2/);
  });
});

describe('properties', () => {
  const sizes = fc.record({ rows: fc.integer({ min: 1, max: 8 }), cols: fc.integer({ min: 1, max: 8 }), seed: fc.integer() });

  test('∇F_ε(W) = R(W) by central differences, and the GPU gives that gradient', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.double({ min: 0.2, max: 0.9, noNaN: true }), async ({ rows, cols, seed }, share) => {
        const w = uniform(rows * cols, seed);
        const anchor = svd64(w, rows, cols);
        const epsilon = Math.fround(share * anchor.s[0]!);
        const r = operator64(anchor, epsilon, w, rows, cols);
        const h = 1e-5;
        const numeric = Float64Array.from({ length: w.length }, (_, i) => {
          const at = (d: number) =>
            objective(
              Float64Array.from(w, (x, j) => (j === i ? x + d : x)),
              rows,
              cols,
              epsilon,
            );
          return (at(h) - at(-h)) / (2 * h);
        });
        // f_ε'' jumps at ε: central differences are off by up to h there, by h² elsewhere.
        expect(maxError(numeric, r)).toBeLessThan(2e-5);
        const options = { targetRank: 0, lambda: 0.5, epsilon: 1e8, epsilonSchedule: 'constant' as const, epsilonN: epsilon };
        const got = await q3r(gpu(), { data: w, rows, cols }, options);
        // 2λ = 1, so the gradient is R(W); matrices of 8 × 8 entries below 1, some ulps each. A target rank of 0 is below any side.
        expect(maxError(got.gradient, r)).toBeLessThan(1e-5);
        expect(Math.abs(got.value - 0.5 * inner(w, r))).toBeLessThan(1e-5);
      }),
      { numRuns: 15, seed: 3 },
    );
  });

  test('majorization: F_ε(X) ≤ F_ε(W) + ½⟨X, R(X)⟩ − ½⟨W, R(W)⟩ with the values of the GPU', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.double({ min: 0.05, max: 1.2, noNaN: true }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        async ({ rows, cols, seed }, share, step) => {
          const w = uniform(rows * cols, seed);
          const x = w.map((a, i) => a + step * uniform(rows * cols, seed + 1)[i]!);
          const { s } = svd64(w, rows, cols);
          const epsilonN = Math.fround(share * s[0]!);
          const options = { targetRank: 0, lambda: 0.5, epsilon: 1e8, epsilonSchedule: 'constant' as const, epsilonN };
          const atW = await q3r(gpu(), { data: w, rows, cols }, options);
          const atX = await q3r(gpu(), { data: w, rows, cols }, { ...options, x: { data: x, rows, cols } });
          const left = objective(x, rows, cols, epsilonN);
          const right = smoothed(s, epsilonN) + atX.value - atW.value;
          // f32 rounding of the two values, which are at most ‖X‖² + ‖W‖².
          expect(left).toBeLessThanOrEqual(right + 1e-6 * (inner(x, x) + inner(w, w)));
        },
      ),
      { numRuns: 15, seed: 4 },
    );
  });

  test('R is the identity from r = min(m, n) on, and zero gives zeros', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 0, max: 3 }), async ({ rows, cols, seed }, more) => {
        const w = uniform(rows * cols, seed);
        const targetRank = Math.min(rows, cols) + more;
        const got = await q3r(gpu(), { data: w, rows, cols }, { targetRank, lambda: 0.5, epsilon: 1e8 });
        expect(got.gradient).toEqual(w);
        expect(got.epsilon).toBe(1e8);
        expect(got.envelopeRank).toBe(0);
        const zero = await q3r(gpu(), { data: new Float32Array(w.length), rows, cols }, { targetRank: 0, lambda: 1, epsilon: 1e8 });
        expect([zero.value, zero.epsilon, zero.envelopeRank]).toEqual([0, 0, 0]);
        expect([...zero.gradient, ...zero.sigma].every((x) => x === 0)).toBe(true);
      }),
      { numRuns: 10, seed: 5 },
    );
  });

  test('odd sizes: the operator of another point than the anchor, both orientations', async () => {
    for (const [rows, cols] of [
      [1, 1],
      [13, 9],
      [9, 14],
      [1, 6],
      [30, 30],
    ] as const) {
      const w = uniform(rows * cols, rows + cols);
      const x = uniform(rows * cols, 77);
      const anchor = svd64(w, rows, cols);
      const targetRank = Math.floor(anchor.k / 3);
      const got = await q3r(gpu(), { data: w, rows, cols }, { targetRank, lambda: 2, epsilon: 1e8, x: { data: x, rows, cols } });
      const epsilon = anchor.k > targetRank ? anchor.s[targetRank]! : 1e8;
      const want = operator64(anchor, epsilon, x, rows, cols).map((r) => 4 * r);
      expect(relativeError(got.gradient, want)).toBeLessThan(1e-5);
      expect(got.value).toBeCloseTo(inner(x, want) / 2, 3);
    }
  });
});
