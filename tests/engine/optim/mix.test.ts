import { expect, test } from 'vitest';
import { drawMix } from '../../../app/engine/optim/mix';

const many = (recipe: { mixup: number; cutmix: number }, n: number, size = 32) =>
  Array.from({ length: n }, (_, t) => drawMix(recipe, 3, t + 1, size));
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test.each([0.01, 0.2, 0.8, 1, 4])('the share of mixup has mean and variance of Beta(α, α), α = %f', (alpha) => {
  const n = 100_000;
  const shares = many({ mixup: alpha, cutmix: 0 }, n).map((m) => m.weight);
  expect(shares.every((w) => w >= 0 && w <= 1)).toBe(true);
  const variance = 1 / (4 * (2 * alpha + 1));
  expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(5 * Math.sqrt(variance / n));
  // The fourth central moment of Beta(α, α) is 3 v² (2α + 1) / (2α + 3).
  const spread = mean(shares.map((w) => (w - 0.5) ** 2));
  const deviation = Math.sqrt((variance ** 2 * ((3 * (2 * alpha + 1)) / (2 * alpha + 3) - 1)) / n);
  expect(Math.abs(spread - variance)).toBeLessThan(5 * deviation);
});

test('a share of α = 1 is uniform', () => {
  const n = 20_000;
  const cells = new Array<number>(10).fill(0);
  for (const { weight } of many({ mixup: 1, cutmix: 0 }, n)) cells[Math.min(9, Math.floor(10 * weight))]!++;
  // 2000 expected in each of ten cells, deviation 42.
  for (const count of cells) expect(Math.abs(count - 2000)).toBeLessThan(5 * 43);
});

test('cutmix keeps the label share of the pixels that stay, and its box inside the image', () => {
  for (const size of [1, 7, 224])
    for (const { kind, weight, box } of many({ mixup: 0, cutmix: 1 }, 500, size)) {
      const [left, top, right, bottom] = box;
      expect(kind).toBe('cutmix');
      expect(left >= 0 && top >= 0 && left <= right && top <= bottom && right <= size && bottom <= size).toBe(true);
      expect(weight).toBeCloseTo(1 - ((right - left) * (bottom - top)) / size ** 2, 12);
    }
});

test('with both on, either comes up half the time; with none, nothing is mixed; the same step draws the same', () => {
  const n = 4000;
  const both = many({ mixup: 0.8, cutmix: 1 }, n);
  const cut = both.filter((m) => m.kind === 'cutmix').length;
  // Coins: deviation 32.
  expect(Math.abs(cut - n / 2)).toBeLessThan(5 * 32);
  expect(many({ mixup: 0.8, cutmix: 1 }, n)).toEqual(both);
  expect(drawMix({ mixup: 0.8, cutmix: 1 }, 4, 1, 32)).not.toEqual(both[0]);
  expect(drawMix({ mixup: 0, cutmix: 0 }, 3, 1, 32)).toEqual({ kind: 'none', weight: 1, box: [0, 0, 0, 0] });
});
