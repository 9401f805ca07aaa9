import { expect, test } from 'vitest';
import { decodeRun, encodeRun, RunFileError } from '../../../app/protocol/run/file';
import { fromBase64, toBase64 } from '../../../app/protocol/run/base64';
import { mutate, random } from '../../engine/data/fixtures';
import { sampleRun } from './fixture';

test('a run comes back from its file exactly, NaN included', () => {
  const run = sampleRun();
  expect(decodeRun(encodeRun(run))).toEqual(run);
  const bare = sampleRun(0, { rows: new Float64Array(), clock: new Float64Array(), evaluations: [], frames: [], curves: {}, marks: [] });
  expect(decodeRun(encodeRun(bare))).toEqual(bare);
});

test('spectra under several plans keep their own', () => {
  const run = sampleRun();
  const [first, ...rest] = run.frames;
  const changed = { ...run, frames: [first!, ...rest.map((f) => ({ ...f, matrices: f.matrices.map((m) => ({ ...m, targetRank: 3 })) }))] };
  expect(decodeRun(encodeRun(changed))).toEqual(changed);
});

test.each<[string, (json: Record<string, unknown>) => void, RegExp]>([
  ['another format', (j) => (j.format = 'x'), /"format" must be "q3r-run"/],
  ['a newer version', (j) => (j.version = 2), /version 2; this page reads versions up to 1/],
  ['no name', (j) => delete j.name, /damaged at name/],
  ['an id that is a path', (j) => (j.id = '../x'), /damaged at id/],
  ['rows that are no base64', (j) => (j.rows = { f64: '%%' }), /damaged at rows: it is no base64/],
  ['rows that end early', (j) => (j.rows = { f64: 'AAAA' }), /rows: 3 bytes are no whole number of values/],
  ['more rows than steps', (j) => (j.step = 3), /12 rows for 3 steps/],
  [
    'an experiment with a wrong value',
    (j) => ((j.experiment as { train: { lr: number } }).train.lr = -1),
    /experiment cannot be used: .*Learning rate/,
  ],
  ['a plan that is not there', (j) => ((j.frames as { plan: number[] }).plan[1] = 7), /there is no plan 7/],
  ['spectra out of order', (j) => ((j.frames as { step: number[] }).step[1] = 0), /spectra do not ascend/],
  ['a spectrum less', (j) => (j.frames as { step: number[]; plan: number[] }).plan.push(0), /3 spectra have 4 plans/],
])('%s is named', (_, damage, message) => {
  const json = JSON.parse(encodeRun(sampleRun())) as Record<string, unknown>;
  damage(json);
  expect(() => decodeRun(JSON.stringify(json))).toThrow(RunFileError);
  expect(() => decodeRun(JSON.stringify(json))).toThrow(message);
});

test('4,000 damaged files are read or refused by name, at once', () => {
  const next = random(77);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const good = [sampleRun(), sampleRun(3, { frames: [], marks: [] })].map((run) => encoder.encode(encodeRun(run)));
  let refused = 0;
  for (let i = 0; i < 4000; i++) {
    const text = decoder.decode(mutate(good[i % 2]!, next, 0, good[(i + 1) % 2]));
    const from = performance.now();
    try {
      decodeRun(text);
    } catch (error) {
      refused++;
      if (!(error instanceof RunFileError)) throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
      expect(error.message).not.toMatch(/undefined|\[object/);
    }
    // A millisecond in fact; seconds would be a loop driven by a false number.
    expect(performance.now() - from).toBeLessThan(3000);
  }
  expect(refused).toBeGreaterThan(1000);
});

test('base64 of every length, for files and addresses', () => {
  for (let n = 0; n < 70; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 89 + n) & 255);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    expect(toBase64(bytes, true)).toMatch(/^[\w-]*$/);
    expect(fromBase64(toBase64(bytes, true))).toEqual(bytes);
  }
});
