import { expect, test } from 'vitest';
import { learningRate } from '../../../app/engine/optim/schedule';

const base = { lr: 0.5, lrSchedule: 'cosine', warmupSteps: 10, steps: 110 } as const;

test('warm-up rises linearly from the first step and peaks at its last', () => {
  expect(learningRate(base, 1)).toBe(0.05);
  expect(learningRate(base, 5)).toBe(0.25);
  expect(learningRate(base, 10)).toBe(0.5);
});

test('the cosine halves in the middle and ends at zero', () => {
  expect(learningRate(base, 60)).toBeCloseTo(0.25, 12);
  expect(learningRate(base, 110)).toBe(0);
  expect(learningRate(base, 200)).toBe(0);
  const all = Array.from({ length: 100 }, (_, i) => learningRate(base, 10 + i));
  expect(all.every((lr, i) => i === 0 || lr < all[i - 1]!)).toBe(true);
});

test('constant stays level; no warm-up starts near the peak; a warm-up longer than the run never divides by zero', () => {
  expect(learningRate({ ...base, lrSchedule: 'constant' }, 109)).toBe(0.5);
  expect(learningRate({ ...base, warmupSteps: 0, lrSchedule: 'constant' }, 1)).toBe(0.5);
  expect(learningRate({ ...base, warmupSteps: 0 }, 1)).toBeCloseTo(0.5 * 0.5 * (1 + Math.cos(Math.PI / 110)), 12);
  expect(learningRate({ ...base, warmupSteps: 10, steps: 10 }, 10)).toBe(0.5);
  expect(learningRate({ ...base, warmupSteps: 20, steps: 10 }, 10)).toBe(0.25);
});
