import { expect, test } from 'vitest';
import { presetExperiment } from '../../../app/protocol/presets';
import type { RunSummary } from '../../../app/store/store';
import { bestOf, csvOf, differencesOf, foldedRows, percent, rowsOf, stateText } from '../../../app/ui/runs/tableRows';

const base = presetExperiment('nano');
const run = (id: string, more: Partial<RunSummary> = {}): RunSummary => ({
  ...{ id, name: id, date: 1, device: 'Apple M2 Pro', experiment: base, step: 10, totalSteps: 100, phase: 'paused', elapsedMs: 1500 },
  ...{ accuracy: null, accuracyCut: null, tail: null, losses: [2, 1], pinned: false, style: 2, parent: null, bytes: 1 },
  ...{ imported: false, checkpoint: null },
  ...more,
});
const ids = (rows: readonly RunSummary[]) => rows.map(({ id }) => id).join('');
const all = { here: null, filter: '', column: 'accuracy', down: true } as const;

test('rows are sorted, the run on screen first, then the pinned; runs without a value last, whichever way', () => {
  const runs = [run('a', { accuracy: 0.2 }), run('b'), run('c', { accuracy: 0.9 }), run('d', { accuracy: 0.1, pinned: true })];
  expect(ids(rowsOf(runs, all))).toBe('dcab');
  expect(ids(rowsOf(runs, { ...all, down: false }))).toBe('dacb');
  expect(ids(rowsOf(runs, { ...all, here: 'b' }))).toBe('bdca');
  expect(ids(rowsOf(runs, { ...all, column: 'name' }))).toBe('dcba');
});

test('a grid is one row where its first run would stand, and lists its runs when it is open; a pinned one stands for itself', () => {
  const grid = { id: 'g', name: 'λ × Seed' };
  const runs = [run('p', { grid, pinned: true }), run('a'), run('x', { grid, accuracy: 0.4 }), run('b'), run('y', { grid, accuracy: 0.6 })];
  const told = (here: string | null, open: string[]) =>
    foldedRows(runs, here, open)
      .map((row) => ('runs' in row ? `[${ids(row.runs)}]` : row.id))
      .join('');
  expect(told(null, [])).toBe('pa[xy]b');
  expect(told(null, ['g'])).toBe('pa[xy]xyb');
  expect(told('x', ['g'])).toBe('paxb[y]y');
  expect(bestOf(runs)?.id).toBe('y');
  expect(bestOf([run('a')])).toBeUndefined();
  expect(ids(rowsOf(runs, { ...all, filter: 'grid seed' }))).toBe('pyx');
  expect(csvOf(runs).split('\r\n')[0]).toMatch(/^name,grid,date,/);
});

test('a filter finds every word of it, in name, method, data or device', () => {
  const dense = { ...base, method: { ...base.method, name: 'adamw' as const } };
  const runs = [run('a'), run('b', { experiment: dense, device: 'SwiftShader' })];
  expect(ids(rowsOf(runs, { ...all, filter: 'swift' }))).toBe('b');
  expect(ids(rowsOf(runs, { ...all, filter: 'ADAMW shapes' }))).toBe('b');
  expect(ids(rowsOf(runs, { ...all, filter: 'adamw apple' }))).toBe('');
});

test('differences are told in the form’s words', () => {
  const other = { ...base, method: { ...base.method, name: 'adamw' as const, lambda: 1e-4 }, dataset: 'mnist' as const };
  expect(differencesOf(base, other).map(({ label, from, to }) => `${label}|${from}|${to}`)).toEqual([
    'data|Shapes|MNIST',
    '|AdamQ3R|AdamW (dense)',
  ]);
  const weaker = { ...base, method: { ...base.method, lambda: 1e-4 }, train: { ...base.train, seed: 9 } };
  expect(differencesOf(base, weaker).map(({ label, from, to }) => `${label}|${from}|${to}`)).toEqual(['λ|5|1e−4', 'seed|1|9']);
  expect(differencesOf(base, base)).toEqual([]);
});

test('the CSV has a column for each setting that differs, and no formulas', () => {
  const other = { ...base, method: { ...base.method, lambda: 7 } };
  const lines = csvOf([run('a', { name: '=1+1, "x"' }), run('b', { experiment: other, accuracy: 0.5 })]).split('\r\n');
  expect(lines[0]).toMatch(/,tail,method\.lambda,id$/);
  expect(lines[1]).toMatch(/^"'=1\+1, ""x""",1970-01-01T00:00:00.001Z,Apple M2 Pro,shapes,adamq3r,10,100,paused,1.5,1,,,,5,a$/);
  expect(lines[2]).toMatch(/,0.5,,,7,b$/);
  expect(csvOf([])).toMatch(/^name,/);
});

test('figures and states', () => {
  expect([percent(0.7812), percent(null), percent(NaN)]).toEqual(['78.1', '–', '–']);
  expect(stateText({ phase: 'running', step: 5, totalSteps: 10 }, true)).toBe('running, step 5 of 10');
  expect(stateText({ phase: 'running', step: 5, totalSteps: 10 }, false)).toBe('stopped at step 5 of 10');
  const failed = { phase: 'failed', step: 5, totalSteps: 10 } as const;
  expect([stateText(failed, true), stateText(failed, true, true)]).toEqual(['failed at step 5 of 10', 'GPU lost at step 5 of 10']);
});
