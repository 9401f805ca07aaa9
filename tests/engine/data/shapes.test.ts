import { expect, test } from 'vitest';
import { shapes } from '../../../app/engine/data/shapes/config';
import { SHAPES } from '../../../app/engine/data/shapes/draw';
import { generateShapes, SHAPES_SEED } from '../../../app/engine/data/shapes/generate';
import { firstShapes } from '../../../app/engine/data/shapes/loader';

const BYTES = 3 * 32 * 32;

/** FNV-1a over bytes. */
function checksum(bytes: Uint8Array): string {
  let h = 0x811c9dc5;
  for (const b of bytes) h = Math.imul(h ^ b, 0x01000193);
  return (h >>> 0).toString(16);
}

test('the same options give the same bytes, in one piece or in parts', () => {
  const whole = generateShapes({ count: 40, seed: SHAPES_SEED.train });
  expect(checksum(generateShapes({ count: 40, seed: SHAPES_SEED.train }).images)).toBe(checksum(whole.images));
  const part = generateShapes({ count: 7, seed: SHAPES_SEED.train, start: 33 });
  expect(checksum(part.images)).toBe(checksum(whole.images.slice(33 * BYTES)));
  expect(part.labels).toEqual(whole.labels.slice(33));
  // Drawn with square roots and the four operations alone, so every browser gets these bytes; a change makes another data set.
  expect(checksum(whole.images)).toBe('dfc060bd');
});

test('the first images of a preview are those of the test set', () => {
  const { test: few } = firstShapes(8);
  const whole = generateShapes({ count: 20, seed: SHAPES_SEED.test });
  expect(few.count).toBe(8);
  expect(checksum(few.images)).toBe(checksum(whole.images.slice(0, 8 * BYTES)));
  expect([...few.labels]).toEqual([...whole.labels.slice(0, 8)]);
});

test('the test split, and every image, differs from the others', () => {
  const train = generateShapes({ count: 200, seed: SHAPES_SEED.train });
  const test = generateShapes({ count: 200, seed: SHAPES_SEED.test });
  const sums = new Set<string>();
  for (const set of [train, test]) for (let i = 0; i < 200; i++) sums.add(checksum(set.images.subarray(i * BYTES, (i + 1) * BYTES)));
  expect(sums.size).toBe(400);
});

test('every ten images show each class once', () => {
  const { labels } = generateShapes({ count: 30, seed: 5 });
  for (let i = 0; i < 30; i += 10) expect([...labels.slice(i, i + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(shapes.classes.length).toBe(SHAPES.length);
});

test('mean and deviation are those of the configuration', () => {
  const count = 2000;
  const { images } = generateShapes({ count, seed: SHAPES_SEED.train });
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < count; i++)
      for (let k = 0; k < 1024; k++) {
        const x = images[i * BYTES + c * 1024 + k]! / 255;
        sum += x;
        squares += x * x;
      }
    const n = count * 1024;
    // The pixels of an image are alike, so 2000 images tell the mean to about 0.27/sqrt(2000) = 0.006.
    expect(Math.abs(sum / n - shapes.mean[c]!)).toBeLessThan(0.02);
    expect(Math.abs(Math.sqrt(squares / n - (sum / n) ** 2) - shapes.std[c]!)).toBeLessThan(0.01);
  }
});

test('each shape is closed, fits its radius, and its distance never grows faster than the way', () => {
  const step = 0.02;
  SHAPES.forEach((distance, k) => {
    const name = shapes.classes[k];
    let inside = 0;
    let farthest = 0;
    let steepest = 0;
    for (let y = -1.5; y <= 1.5; y += step)
      for (let x = -1.5; x <= 1.5; x += step) {
        const d = distance(x, y);
        steepest = Math.max(steepest, Math.abs(distance(x + step, y) - d), Math.abs(distance(x, y + step) - d));
        if (d >= 0) continue;
        inside++;
        farthest = Math.max(farthest, Math.sqrt(x * x + y * y));
      }
    expect(farthest, name).toBeLessThan(1.14);
    expect(steepest, name).toBeLessThanOrEqual(step * 1.0001);
    // Between a fifth and five sixths of the disc of radius 1: none is a speck, none a full tile.
    const area = (inside * step * step) / Math.PI;
    expect(area, name).toBeGreaterThan(0.2);
    expect(area, name).toBeLessThan(0.84);
  });
});

test('no two classes can be turned into one another', () => {
  const turns = Array.from({ length: 24 }, (_, i) => [Math.cos((i * Math.PI) / 12), Math.sin((i * Math.PI) / 12)] as const);
  const points: [number, number][] = [];
  for (let y = -1.2; y <= 1.2; y += 0.08) for (let x = -1.2; x <= 1.2; x += 0.08) points.push([x, y]);
  SHAPES.forEach((a, i) =>
    SHAPES.slice(i + 1).forEach((b, j) => {
      for (const [c, s] of turns) {
        let both = 0;
        let either = 0;
        for (const [x, y] of points) {
          const inA = a(x, y) < 0;
          const inB = b(x * c + y * s, y * c - x * s) < 0;
          if (inA && inB) both++;
          if (inA || inB) either++;
        }
        expect(both / either, `${shapes.classes[i]} and ${shapes.classes[i + 1 + j]}`).toBeLessThan(0.92);
      }
    }),
  );
});
