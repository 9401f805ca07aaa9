import { expect, test } from 'vitest';
import { q3r } from '../../../app/engine/linalg/q3r';
import { maxError, relativeError, useGpu } from '../../support/gpu';
import { makeRun, smallData, termAt, tiny } from './support';

const gpu = useGpu();

/**
 * 120 steps of a real run with the randomized SVD and warm starts, a refresh every 5. At each refresh the decomposition in use is
 * compared with an exact one of the same weights: σ₁ … σ_{r+1} within 1e-3 σ₁, and 2λR(W) within 1e-2 (Frobenius). These are the
 * bounds that the randomized mode promises; they leave room for the sketch only, f32 rounding is a hundred times smaller.
 */
test.each([
  ['a pull that keeps the envelope at the target', 2, 0.2],
  ['weights that grow past ε, so that the envelope grows', 0.01, 0.25],
])('randomized refreshes stay within their bounds along 120 steps: %s', async (_, lambda, targetRank) => {
  const data = smallData(gpu());
  const experiment = tiny({ method: { lambda, targetRank, svd: 'randomized' }, train: { lr: 3e-3 } });
  const run = await makeRun(gpu(), experiment, data);
  const worst = { sigma: 0, gradient: 0, refresh: 0 };
  for (let t = 1; t <= 120; t++) {
    await run.ready(t);
    const refreshes = (t - 1) % 5 === 0;
    const weights = refreshes ? await run.readParameters() : undefined;
    const epsilons = refreshes ? (await run.spectra()).map((m) => m.epsilon) : [];
    await run.submitStep(t, 1);
    if (!weights) continue;
    const term = await termAt(run, weights);
    const { batches, matrices } = run.rank.q3r!;
    const svd = batches[0]!;
    const all = await gpu().readFloats(svd.sigma);
    const inUse = matrices.map((m, i) => ({
      ...m,
      sigma: all.slice(svd.layout.entries[i]!.s, svd.layout.entries[i]!.s + svd.layout.entries[i]!.k),
    }));
    // One of the twelve matrices per refresh, in turn, keeps the test short.
    const i = ((t - 1) / 5) % inUse.length;
    const { name, offset, rows, cols, sigma } = inUse[i]!;
    const size = rows * cols;
    const before = epsilons[i]!;
    const exact = await q3r(
      gpu(),
      { data: weights.slice(offset, offset + size), rows, cols },
      { targetRank: inUse[i]!.targetRank, lambda, epsilon: Number.isNaN(before) ? 1e8 : before },
    );
    const upTo = inUse[i]!.targetRank + 1;
    const s = maxError(sigma.slice(0, upTo), exact.sigma.slice(0, upTo)) / exact.sigma[0]!;
    const g = relativeError(term.slice(offset, offset + size), exact.gradient);
    if (!(s <= worst.sigma)) worst.sigma = s;
    if (!(g <= worst.gradient)) Object.assign(worst, { gradient: g, refresh: t, name });
  }
  expect(worst.sigma).toBeLessThan(1e-3);
  expect(worst.gradient).toBeLessThan(1e-2);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});
