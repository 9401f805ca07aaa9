import { expect, test } from 'vitest';
import { batchesApart, counterpart, startsApart } from '../../../app/protocol/compare';
import { defaultExperiment, patchExperiment } from '../../../app/protocol/experiment';
import { RECORD_WIDTH } from '../../../app/protocol/run/record';
import { abCsv } from '../../../app/store/compare/abCsv';
import { NOT_COMPARED, parting } from '../../../app/store/compare/parting';

const rows = (losses: readonly number[]): Float64Array => {
  const out = new Float64Array(losses.length * RECORD_WIDTH);
  losses.forEach((loss, i) => out.set([i / 10, loss, 0, 0.5, 1e-3, 1], i * RECORD_WIDTH));
  return out;
};

const of = (loss: readonly number[]) => ({ length: loss.length, loss });

test('losses part at the first bit, not at the first digit', () => {
  const next = 2 + Number.EPSILON * 2;
  expect(parting(of([1, 2, 3]), of([1, next, 3]))).toEqual({ compared: 2, step: 2 });
  expect(parting(of([1, 2, 3]), of([1, 2, 3, 4]))).toEqual({ compared: 3, step: null });
  expect(parting(of([1]), of([2]))).toEqual({ compared: 1, step: 1 });
  expect(parting(of([]), of([1]))).toEqual(NOT_COMPARED);
});

test('goes on where it stopped, and a parting stays', () => {
  const found = parting(of([1, 2]), of([1, 2]));
  // What was compared is not looked at again.
  expect(parting(of([9, 2, 3]), of([1, 2, 4]), found)).toEqual({ compared: 3, step: 3 });
  const parted = parting(of([1, 2]), of([1, 3]));
  expect(parting(of([1, 2, 5]), of([1, 3, 5]), parted)).toBe(parted);
});

test('what two experiments share is told by the first setting that parts them', () => {
  const base = defaultExperiment();
  expect(startsApart(base, counterpart(base))).toBeNull();
  expect(batchesApart(base, counterpart(base))).toBeNull();
  expect(counterpart(base).method.lambda).toBe(0);
  expect(counterpart(patchExperiment(base, { method: { name: 'adamw' } })).method.name).toBe('adamq3r');
  expect(startsApart(base, patchExperiment(base, { train: { seed: 5 } }))).toBe('train.seed');
  expect(startsApart(base, patchExperiment(base, { method: { name: 'lora' } }))).toBe('method.name');
  expect(startsApart(base, patchExperiment(base, { model: { depth: 3 } }))).toBe('model.depth');
  expect(batchesApart(base, patchExperiment(base, { train: { batchSize: 32 } }))).toBe('train.batchSize');
  expect(batchesApart(base, patchExperiment(base, { dataset: 'mnist' }))).toBe('dataset');
});

test('the table of both has all digits, and gaps where a side has nothing', () => {
  const evaluations = [{ step: 2, loss: 0.25, accuracy: 0.5, count: 8 }];
  const csv = abCsv({ rows: rows([1.25, 2 / 3]), evaluations }, { rows: rows([1.25]), evaluations: [] });
  const [head, first, second] = csv
    .trim()
    .split('\r\n')
    .map((line) => line.split(','));
  expect(head!.slice(0, 5)).toEqual(['step', 'epoch A', 'epoch B', 'loss A', 'loss B']);
  expect(first!.slice(3, 5)).toEqual(['1.25', '1.25']);
  expect(second![3]).toBe(String(2 / 3));
  expect(second![4]).toBe('');
  expect(second!.slice(-4)).toEqual(['0.25', '', '0.5', '']);
});
