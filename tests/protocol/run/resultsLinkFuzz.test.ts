import { expect, test } from 'vitest';
import { defaultExperiment } from '../../../app/protocol/experiment';
import { PackedError, Reader, Writer } from '../../../app/protocol/run/packed';
import { RECORD_FIELDS } from '../../../app/protocol/run/record';
import {
  decodeResults,
  encodeResults,
  readResults,
  ResultsLinkError,
  writeResults,
  type Results,
} from '../../../app/protocol/run/resultsLink';
import { columnsOf, seriesOf } from '../../../app/protocol/run/series';
import type { StepRecord } from '../../../app/protocol/messages';
import { mutate, random } from '../../engine/data/fixtures';
import { sampleRun } from './fixture';

const experiment = defaultExperiment();
const run = sampleRun(40, { rows: Float64Array.from({ length: 240 }, (_, i) => 0.3 + Math.sin(i) / 4) });
const seriesAt = (points: number) => seriesOf(columnsOf(run.rows), run.evaluations, { runId: 1, smoothing: 0.9, points });
const latest = { step: 40, ...Object.fromEntries(RECORD_FIELDS.map((field, i) => [field, (i + 1) / 7])) } as StepRecord;

/** Every number in what was read, arrays included. */
function* numbersIn(value: unknown): Generator<number> {
  if (typeof value === 'number') yield value;
  else if (ArrayBuffer.isView(value)) yield* value as unknown as Float64Array;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* numbersIn(inner);
}

/** A number of a few millions would mean that something was allocated by a false length. */
const size = ({ series, run: { frames, evaluations } }: Results): number =>
  series.step.length + evaluations.length + frames.flatMap((f) => f.matrices).reduce((sum, m) => sum + m.sigma.length, 0);

test('4,000 damaged results with a right checksum are read or refused by name, at once, and hold no infinity', () => {
  const next = random(91);
  const good = [32, 0].map((levels) => writeResults(run, seriesAt(100), latest, 100, levels).bytes);
  expect(readResults(good[0]!, experiment).run.frames).toHaveLength(1);
  let refused = 0;
  for (let i = 0; i < 4000; i++) {
    const bytes = mutate(good[i % 2]!, next, 0, good[(i + 1) % 2]);
    const from = performance.now();
    try {
      const read = readResults(bytes, experiment);
      expect(size(read)).toBeLessThanOrEqual(bytes.length);
      for (const x of numbersIn(read)) if (Math.abs(x) === Infinity) throw new Error('an infinity was read');
    } catch (error) {
      refused++;
      if (!(error instanceof PackedError || error instanceof ResultsLinkError))
        throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
      expect(error.message).not.toMatch(/undefined|NaN|\[object/);
    }
    // A millisecond in fact; seconds would be a loop driven by a false number.
    expect(performance.now() - from).toBeLessThan(3000);
  }
  expect(refused).toBeGreaterThan(1000);
});

test('2,000 damaged links are refused by name', () => {
  const next = random(92);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const { text } = encodeResults(run, seriesAt, latest, 7000);
  expect(decodeResults(text, experiment).run.name).toBe(run.name);
  const bytes = encoder.encode(text);
  for (let i = 0; i < 2000; i++) {
    const damaged = decoder.decode(mutate(bytes, next, 0));
    if (damaged === text) continue;
    try {
      // The last character's unused bits may differ without a loss.
      expect(decodeResults(damaged, experiment)).toEqual(decodeResults(text, experiment));
    } catch (error) {
      if (!(error instanceof ResultsLinkError)) throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
    }
  }
});

test('numbers of any size come back as near as their code is fine, and none as an infinity', () => {
  const values = [0, 1, -1, 1e-30, 1e38, 1e-37, 0.1, 2 ** 127];
  const w = new Writer();
  w.numbers([...values, 3.4e38, 1e300, NaN, Infinity]);
  const back = new Reader(w.bytes).numbers(values.length + 4);
  values.forEach((x, i) => expect(Math.abs(back[i]! - x)).toBeLessThanOrEqual(0.0014 * Math.abs(x)));
  // Past single precision's powers of two a number is none.
  expect([...back.subarray(values.length)]).toEqual([NaN, NaN, NaN, NaN]);
});
