import { describe, expect, test } from 'vitest';
import { defaultExperiment } from '../../../app/protocol/experiment';
import { RECORD_WIDTH } from '../../../app/protocol/run/record';
import { decodeResults, encodeResults, readResults, ResultsLinkError, writeResults } from '../../../app/protocol/run/resultsLink';
import { PackedError } from '../../../app/protocol/run/packed';
import { columnsOf, seriesOf } from '../../../app/protocol/run/series';
import { sampleRun } from './fixture';

const rows = Float64Array.from(
  { length: 900 * RECORD_WIDTH },
  (_, i) => 0.1 + Math.abs(Math.sin(i * 0.7)) * (3 - (2 * i) / (900 * RECORD_WIDTH)),
);
const run = sampleRun(900, { rows });
const seriesAt = (points: number) => seriesOf(columnsOf(run.rows), run.evaluations, { runId: 1, smoothing: 0.9, points });
const latest = { step: 900, epoch: 0.72, loss: 0.5, regularizer: 0, accuracy: 0.75, lr: 1e-4, gradNorm: 2 };
const encoded = (room = 8000) => encodeResults(run, seriesAt, latest, room);
/** A seeded generator, so that a failure comes again. */
function random(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 32;
  };
}
const near = (got: ArrayLike<number>, want: ArrayLike<number>, share: number) => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    if (Number.isNaN(want[i]!)) expect(got[i]).toBeNaN();
    else expect(Math.abs(got[i]! - want[i]!)).toBeLessThanOrEqual(share * Math.abs(want[i]!) + 1e-12);
  }
};

describe('results in a link', () => {
  test('come back: names and steps exactly, curves to 0.14 %, singular values to half a code', () => {
    const packed = encoded();
    expect(packed.text).toMatch(/^[\w-]+$/);
    const back = decodeResults(packed.text, run.experiment);
    const { name, date, step, totalSteps, phase, marks, origin } = run;
    expect(back.run).toMatchObject({ name, date, step, totalSteps, phase, marks, origin, experiment: run.experiment });
    const series = seriesAt(100);
    expect(back.series.step).toEqual(series.step);
    for (const key of ['loss', 'lossMin', 'lossMax', 'lossSmooth', 'accuracySmooth', 'regularizer', 'lr'] as const)
      near(back.series[key], series[key], 0.0015);
    expect(back.series.step.length).toBeLessThanOrEqual(100);
    near([back.latest!.loss, back.latest!.gradNorm, back.latest!.regularizer], [0.5, 2, 0], 0.0015);
    expect(back.run.curves.fraction?.cuts.map((c) => [c.fraction, c.ranks])).toEqual([[0.2, [1, 2]]]);
    const last = run.frames.at(-1)!;
    const frame = back.run.frames[0]!;
    expect(frame.step).toBe(last.step);
    last.matrices.forEach((m, i) => {
      const got = frame.matrices[i]!;
      expect(got).toMatchObject({ name: m.name, kind: m.kind, rows: m.rows, cols: m.cols, targetRank: m.targetRank, regularized: true });
      near(got.sigma, m.sigma, 2 ** (0.51 / packed.levels) - 1);
      near([got.epsilon], [m.epsilon], 0.0015);
    });
  });

  test('a short link loses the spectra first, then points, and says so', () => {
    const whole = encoded();
    expect(whole).toMatchObject({ levels: 32, cuts: 1 });
    const bare = encodeResults({ ...run, frames: [] }, seriesAt, latest, 8000);
    expect(bare).toMatchObject({ levels: 0, points: whole.points });
    const short = encoded(bare.text.length);
    expect(short).toMatchObject({ levels: 0, points: whole.points });
    expect(decodeResults(short.text, run.experiment).run.frames).toEqual([]);
    const shorter = encoded(bare.text.length - 1);
    expect(shorter.points).toBeLessThan(whole.points);
    expect(shorter.text.length).toBeLessThan(bare.text.length);
    expect(() => encoded(100)).toThrow(ResultsLinkError);
  });

  test('the results of other settings are refused by name', () => {
    const other = { ...run.experiment, method: { ...run.experiment.method, lambda: 0.123 } };
    expect(() => decodeResults(encoded().text, other)).toThrow(/other settings/);
  });

  test('two thousand damaged links are each refused with words', () => {
    const { text } = encoded();
    const next = random(7);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_%.';
    for (let n = 0; n < 2000; n++) {
      const at = Math.floor(next() * text.length);
      const letter = letters[Math.floor(next() * letters.length)]!;
      const damaged = [text.slice(0, at) + letter + text.slice(at + 1), text.slice(0, at), text.slice(0, at) + letter + text.slice(at)][
        n % 3
      ]!;
      try {
        // Bits of the last letter that stand for nothing may differ.
        expect(decodeResults(damaged, run.experiment)).toEqual(decodeResults(text, run.experiment));
      } catch (error) {
        if (!(error instanceof ResultsLinkError)) throw error;
        expect(error.message).toMatch(/damaged|version/);
      }
    }
  });

  test('three thousand wrong payloads with a right checksum are read or refused, never worse', () => {
    const bytes = writeResults(run, seriesAt(100), latest, 100, 32).bytes;
    const next = random(11);
    let refused = 0;
    for (let n = 0; n < 3000; n++) {
      const copy = bytes.slice(0, n % 5 === 0 ? Math.floor(next() * bytes.length) : bytes.length);
      for (let k = 0; k <= n % 4; k++) copy[Math.floor(next() * copy.length)] = Math.floor(next() * 256);
      try {
        readResults(copy, run.experiment);
      } catch (error) {
        if (!(error instanceof PackedError) && !(error instanceof ResultsLinkError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  test('what is no results at all is refused', () => {
    for (const text of ['', 'A', '%', 'AAAAAAAAAA', '_'.repeat(20_000)])
      expect(() => decodeResults(text, defaultExperiment())).toThrow(ResultsLinkError);
  });
});
