import { expect, test } from 'vitest';
import { agreement, confusionMatrix, predictionsOf, softmax, topClasses, type Survey } from '../../app/protocol/inspection';

test('softmax stays finite at any size, sums to one, and the best classes come in order', () => {
  expect([...softmax([0, Math.log(3)])].map((p) => Number(p.toFixed(12)))).toEqual([0.25, 0.75]);
  expect([...softmax([-2000, 1000, 1000])]).toEqual([0, 0.5, 0.5]);
  expect(topClasses([1, 3, 3, 0]).map((best) => best.class)).toEqual([1, 2, 0]);
  expect(topClasses([5], 3)).toEqual([{ class: 0, probability: 1 }]);
});

/** Four images of three classes: logits that predict 0, 1, 2, 1 for labels 0, 1, 2, 2. */
const labels = Uint16Array.of(0, 1, 2, 2);
const logits = Float32Array.of(9, 1, 0, 0, 9, 1, 0, 1, 9, 1, 9, 0);
const full = predictionsOf(logits, labels, 3);
const survey: Survey = { step: 1, average: false, count: 4, classes: 3, best: 3, labels, full, cut: null };

test('predictions, their accuracy and the confusion matrix, rows by label', () => {
  expect([0, 3, 6, 9].map((i) => full.top[i])).toEqual([0, 1, 2, 1]);
  expect(full.accuracy).toBe(0.75);
  expect(full.probability[0]).toBeCloseTo(Math.exp(9) / (Math.exp(9) + Math.exp(1) + 1), 6);
  expect([...confusionMatrix(survey, full)]).toEqual([1, 0, 0, 0, 1, 0, 0, 1, 1]);
});

test('two models agree on the images they predict alike', () => {
  const other = predictionsOf(
    logits.map((v, i) => (i < 6 ? v : 9 - v)),
    labels,
    3,
  );
  expect(agreement(survey, full, full)).toBe(1);
  expect(agreement(survey, full, other)).toBe(0.5);
  expect(agreement({ ...survey, count: 0 }, full, other)).toBe(0);
});

test('fewer classes than are listed, and no image at all', () => {
  const two = predictionsOf(Float32Array.of(0, 1), Uint16Array.of(1), 2);
  expect([two.top.length, two.accuracy]).toEqual([2, 1]);
  expect(predictionsOf(new Float32Array(), new Uint16Array(), 10).accuracy).toBe(0);
});
