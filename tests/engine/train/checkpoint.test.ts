import { expect, test } from 'vitest';
import { checkpointPieces, readCheckpoint, snapshotFor, type Checkpoint } from '../../../app/engine/train/checkpoint';
import type { Run } from '../../../app/engine/train/run';
import { History } from '../../../app/engine/train/history';
import { TensorFileError, joined, openSafetensors, writeSafetensors } from '../../../app/engine/train/safetensors';
import type { Snapshot } from '../../../app/engine/train/snapshot';
import type { Experiment } from '../../../app/protocol/experiment';
import { useGpu } from '../../support/gpu';
import { makeRun, smallData, tiny } from './support';

const gpu = useGpu();

function begun(): History {
  const h = new History(1);
  h.pushEvaluation(4, 2.1, 0.25);
  return h;
}

/** Steps with their records in a history. */
async function train(run: Run, h: History, from: number, to: number): Promise<void> {
  for (let t = from; t <= to; t++) {
    await run.ready(t);
    h.push((await run.submitStep(t, 1)).record);
  }
}

const checkpointOf = (experiment: Experiment, h: History, step: number): Checkpoint => ({
  experiment,
  records: h.packed(1),
  evaluations: h.evaluations(),
  description: {
    version: 1,
    step,
    elapsedMs: 1234.5,
    marks: [{ step: 3, field: 'method.lambda', from: 1, to: 2 }],
    data: { name: 'shapes', train: 256, test: 64, checksum: 1 },
    device: 'a device',
    tuning: 'a tuning',
    page: 'test',
    date: 1,
    accuracy: 0.25,
    loss: h.record(step).loss,
  },
});
const fileOf = async (run: Run, snapshot: Snapshot, h: History, experiment = run.experiment): Promise<Uint8Array<ArrayBuffer>> =>
  joined(await checkpointPieces(checkpointOf(experiment, h, snapshot.step), snapshot, run.stateLayout, run.tables));

test.each(['adamw', 'adamq3r', 'q3r', 'loritaAdamq3r'] as const)(
  '%s: 24 steps straight are 12, a file, another run and 12 more, bit for bit',
  async (name) => {
    const data = smallData(gpu());
    // A small pull leaves the envelope wider than the target, so that sketches grow and refreshes are guarded.
    const experiment = tiny({
      method: { name, lambda: name === 'q3r' ? 0.005 : 0.5, svd: 'randomized' },
      train: { augment: 'basic', emaDecay: name === 'loritaAdamq3r' ? 0.9 : 0 },
    });
    const run = await makeRun(gpu(), experiment, data);
    const straight = begun();
    await train(run, straight, 1, 12);
    const bytes = await fileOf(run, await run.takeSnapshot(12), straight);
    await train(run, straight, 13, 24);
    const weights = await run.readParameters();
    await run.dispose();

    const read = readCheckpoint(bytes);
    expect(read.experiment).toEqual(experiment);
    const other = await makeRun(gpu(), read.experiment, data);
    other.restore(snapshotFor(read, other.stateLayout, other.tables, await other.rank.saveState()));
    const resumed = new History(2);
    resumed.load(read.records, read.evaluations);
    await train(other, resumed, 13, 24);
    expect(resumed.packed(1)).toEqual(straight.packed(1));
    expect(resumed.evaluations()).toEqual(straight.evaluations());
    expect(await other.readParameters()).toEqual(weights);
    await other.dispose();
    data.train.dispose();
    data.test.dispose();
  },
);

test('what the padding of the arenas holds is kept, and the weights are those of an export', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny(), data);
  const h = begun();
  await train(run, h, 1, 4);
  const snapshot = await run.takeSnapshot(4);
  // The class token has 32 elements; the arena goes on at 64.
  const at = run.table.entries[1]!.offset - 1;
  for (const part of snapshot.parts.slice(0, 3)) new Float32Array(part)[at] = -7.25;
  const bytes = await fileOf(run, snapshot, h);
  const back = snapshotFor(readCheckpoint(bytes), run.stateLayout, run.tables, await run.rank.saveState());
  expect(back.parts.map((part) => new Uint8Array(part))).toEqual(snapshot.parts.map((part) => new Uint8Array(part)));
  expect({ ...back, parts: [] }).toEqual({ ...snapshot, parts: [] });
  const arena = new Float32Array(snapshot.parts[0]!);
  const floats = [...openSafetensors(bytes).tensors]
    .filter(([name]) => !/^(history|state|padding|adam)\./.test(name))
    .map(([name]) => name);
  expect(floats.sort()).toEqual(run.table.entries.map((e) => e.name).sort());
  const head = run.table.byName.get('head.weight')!;
  const stored = openSafetensors(bytes).tensors.get('head.weight')!;
  expect(stored).toMatchObject({ dtype: 'F32', shape: [10, 32] });
  expect(new Float32Array(stored.bytes.slice().buffer)).toEqual(arena.slice(head.offset, head.offset + head.length));
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});

test('a checkpoint that does not fit is refused, and what does not fit is named', async () => {
  const data = smallData(gpu());
  const run = await makeRun(gpu(), tiny({ model: { depth: 1 } }), data);
  const h = begun();
  await train(run, h, 1, 4);
  const snapshot = await run.takeSnapshot(4);
  const good = await fileOf(run, snapshot, h);
  const like = await run.rank.saveState();
  const fit = (bytes: Uint8Array) => snapshotFor(readCheckpoint(bytes), run.stateLayout, run.tables, like);
  expect(fit(good).step).toBe(4);

  expect(() => readCheckpoint(good.slice(0, -1))).toThrow(TensorFileError);
  const flipped = good.slice();
  flipped[flipped.length - 9]! ^= 1;
  expect(() => readCheckpoint(flipped)).toThrow(/damaged or was changed/);
  expect(() => readCheckpoint(writeSafetensors(new Map(), { format: 'pt' }))).toThrow(/holds weights, and no state of a run/);

  // Another model in the experiment than in the tensors.
  const wider = tiny({ model: { depth: 1, embedDim: 48 } });
  const other = await makeRun(gpu(), wider);
  const lying = readCheckpoint(await fileOf(run, snapshot, h, wider));
  expect(() => snapshotFor(lying, other.stateLayout, other.tables, like)).toThrow(
    /cls_token is \[1, 1, 32\] in the checkpoint; \[1, 1, 48\] was expected/,
  );
  await other.dispose();

  const copy = structuredClone(snapshot);
  new Float32Array(copy.parts[0]!)[run.table.byName.get('norm.bias')!.offset + 2] = NaN;
  const nan = await fileOf(run, copy, h);
  expect(() => fit(nan)).toThrow(/norm\.bias holds NaN at 2; only finite weights/);

  const withState = (change: object) => {
    const state = structuredClone(snapshot.regularizer) as { regularizer: object };
    return fileOf(run, { ...snapshot, regularizer: { ...state, regularizer: { ...state.regularizer, ...change } } }, h);
  };
  const short = await withState({ sketches: [1] });
  expect(() => fit(short)).toThrow(/state\.regularizer\.sketches has 1 entries and needs 6/);
  // A file that was made to make the page hang.
  const endless = fit(await withState({ powers: 1e9 }));
  expect(() => run.restore(endless)).toThrow(/state of the sketches/);
  await run.dispose();
  data.train.dispose();
  data.test.dispose();
});
