import { expect, test } from 'vitest';
import { presetExperiment } from '../../../app/protocol/presets';
import { RECORD_WIDTH, type RunRecord } from '../../../app/protocol/run/record';
import { fromDisk, toDisk } from '../../../app/store/runs/disk';
import { packRun, unpackRun, type StoredRun } from '../../../app/store/runs/pack';
import { Shelf, type Bound } from '../../../app/store/runs/shelf';
import { Database, type RunStorage } from '../../../app/store/runs/storage';
import { nameOf, summaryOf, thinned } from '../../../app/store/runs/summary';
import type { RunSummary } from '../../../app/store/slices/runs';
import { spectraOf } from '../fakeWorker';

const experiment = presetExperiment('nano');
const STEPS = 90;
/** Loss falls from 2 as 2/√step. */
const rows = Float64Array.from({ length: STEPS * RECORD_WIDTH }, (_, i) => {
  const step = 1 + Math.floor(i / RECORD_WIDTH);
  return [step / 10, 2 / Math.sqrt(step), 0.1, 0.5, 1e-3, 1][i % RECORD_WIDTH]!;
});
const record = (id: string, more: Partial<RunRecord> = {}): RunRecord => ({
  id,
  name: nameOf(experiment),
  date: 1000,
  origin: { device: 'Apple M2 Pro', software: false, version: 'test', trainCount: 20_000 },
  experiment,
  parent: null,
  phase: 'paused',
  step: STEPS,
  totalSteps: 100,
  elapsedMs: 5000,
  marks: [{ step: 3, field: 'method.lambda', from: 1, to: 2 }],
  rows,
  clock: Float64Array.of(1, 50, STEPS, 5000),
  evaluations: [
    { step: 40, loss: 1, accuracy: 0.4, count: 64 },
    { step: 80, loss: 1, accuracy: 0.625, count: 64 },
  ],
  frames: [
    { step: 0, matrices: spectraOf(experiment, 0) },
    { step: STEPS, matrices: spectraOf(experiment, 1) },
  ],
  curves: {},
  ...more,
});

/** A storage that can be told to refuse. */
class Fragile implements RunStorage {
  readonly runs = new Map<string, StoredRun>();
  readonly index = new Map<string, RunSummary>();
  refuses: Error | null = null;
  private check(): void {
    if (this.refuses) throw this.refuses;
  }
  async list() {
    this.check();
    return [...this.index.values()];
  }
  async get(id: string) {
    this.check();
    return this.runs.get(id);
  }
  async put(run: StoredRun, merge: (stored: RunSummary | undefined) => RunSummary) {
    this.check();
    const summary = merge(this.index.get(run.id));
    this.runs.set(run.id, structuredClone(run));
    this.index.set(run.id, summary);
    return summary;
  }
  async patch(id: string, change: Partial<RunSummary>) {
    this.check();
    const summary = this.index.get(id);
    if (summary) this.index.set(id, { ...summary, ...change });
  }
  async delete(ids: readonly string[]) {
    this.check();
    for (const id of ids) {
      this.runs.delete(id);
      this.index.delete(id);
    }
  }
}
function shelfOn(storage: RunStorage, bound?: Bound) {
  const told: { runs: RunSummary[]; unstored: string | null } = { runs: [], unstored: null };
  const shelf = new Shelf(storage, (runs, unstored) => Object.assign(told, { runs, unstored }), bound);
  return { shelf, told };
}
const full = () => new DOMException('no room', 'QuotaExceededError');

test('a packed run unpacks to the same run', () => {
  expect(unpackRun(structuredClone(packRun(record('a'))))).toEqual(record('a'));
});

test('the database’s form of a run holds it to the bit, at odd lengths, and an older form is read, too', async () => {
  const odd = Float32Array.of(3, 2, 1);
  const plain = packRun(record('a'));
  const run = { ...plain, packed: [{ step: 1, plan: 0, sigma: odd, figures: Float64Array.of(0.1) }, ...plain.packed] };
  expect(await fromDisk(structuredClone(toDisk(run)))).toEqual(run);
  expect(await fromDisk(structuredClone(run))).toEqual(run);
});

test('a summary has the last validation, the tail of the newest spectra and at most 40 falling losses', () => {
  const summary = summaryOf(record('a'), { pinned: false, style: 2, bytes: 1, imported: false, checkpoint: null });
  expect(summary).toMatchObject({ accuracy: 0.625, accuracyCut: null, device: 'Apple M2 Pro', step: STEPS, phase: 'paused' });
  const { losses, tail } = summary;
  expect(losses.length).toBeLessThanOrEqual(40);
  expect(losses).toEqual([...losses].sort((a, b) => b - a));
  let [past, all] = [0, 0];
  for (const { sigma, targetRank } of spectraOf(experiment, 1))
    sigma.forEach((s, i) => {
      all += s * s;
      if (i >= targetRank) past += s * s;
    });
  // Sums of singles in another order.
  expect(tail).toBeCloseTo(past / all, 5);
});

test('thinning keeps the last value, and nothing of nothing', () => {
  expect(thinned([])).toEqual([]);
  expect(thinned([3, 2, 1])).toEqual([3, 2, 1]);
  const many = thinned(Float32Array.from({ length: 101 }, (_, i) => i));
  expect(many.length).toBeLessThanOrEqual(40);
  expect(many.at(-1)).toBe(100);
});

test('the browser’s database gives back what it was given, over two shelves on it', async () => {
  const name = `q3r-test-${crypto.randomUUID()}`;
  const one = shelfOn(new Database(name));
  await one.shelf.keep(record('a'));
  await one.shelf.keep(record('b', { date: 2000 }));
  const two = shelfOn(new Database(name));
  await two.shelf.load();
  expect(two.told.runs.map(({ id }) => id)).toEqual(['b', 'a']);
  expect(await two.shelf.get('a')).toEqual(record('a'));
  // What the other one renamed outlives a later state of the run from here.
  await two.shelf.patch('a', { name: 'Mine', pinned: true });
  await one.shelf.keep(record('a', { phase: 'finished', step: 100 }));
  expect(one.told.runs.find(({ id }) => id === 'a')).toMatchObject({ name: 'Mine', pinned: true, phase: 'finished', step: 100 });
  await two.shelf.delete(['b']);
  await one.shelf.load();
  expect(one.told.runs.map(({ id }) => id)).toEqual(['a']);
  await expect(one.shelf.get('b')).rejects.toThrow('no longer kept');
  indexedDB.deleteDatabase(name);
});

test('beyond the bound the oldest run that is not pinned goes; the newest never does', async () => {
  const { shelf, told } = shelfOn(new Fragile(), { runs: 3, gridRuns: 2, bytes: 1e9 });
  await shelf.keep(record('a', { date: 1 }));
  await shelf.patch('a', { pinned: true });
  for (const [id, date] of [
    ['b', 2],
    ['c', 3],
    ['d', 4],
  ] as const)
    await shelf.keep(record(id, { date }));
  expect(told.runs.map(({ id }) => id)).toEqual(['d', 'c', 'a']);
  // Runs of a grid are counted apart, and go first where bytes are short.
  const grid = { id: 'g', name: 'λ × Target rank' };
  for (const date of [5, 6, 7]) await shelf.keep(record(`g${date}`, { date }), { grid });
  expect(told.runs.map(({ id }) => id)).toEqual(['g7', 'g6', 'd', 'c', 'a']);
  expect(told.runs[0]!.grid).toEqual(grid);
  const short = shelfOn(new Fragile(), { runs: 100, gridRuns: 100, bytes: 2.5 * told.runs[0]!.bytes });
  await short.shelf.keep(record('old', { date: 1 }));
  await short.shelf.keep(record('g1', { date: 2 }), { grid });
  await short.shelf.keep(record('g2', { date: 3 }), { grid });
  expect(short.told.runs.map(({ id }) => id)).toEqual(['g2', 'old']);
  const tight = shelfOn(new Fragile(), { runs: 100, gridRuns: 100, bytes: 1 });
  await tight.shelf.keep(record('a', { date: 1 }));
  await tight.shelf.keep(record('b', { date: 2 }));
  expect(tight.told.runs.map(({ id }) => id)).toEqual(['b']);
});

test('without room a run is kept in memory and said so; with room again it is stored', async () => {
  const storage = new Fragile();
  const { shelf, told } = shelfOn(storage);
  storage.refuses = full();
  await shelf.keep(record('a'));
  expect(told.unstored).toMatch(/no room/);
  expect(told.runs.map(({ id }) => id)).toEqual(['a']);
  expect(await shelf.get('a')).toEqual(record('a'));
  await shelf.patch('a', { name: 'Mine' });
  storage.refuses = null;
  await shelf.keep(record('a', { step: 100 }));
  expect(told).toMatchObject({ unstored: null, runs: [{ id: 'a', name: 'Mine', step: 100 }] });
  expect(storage.index.get('a')?.name).toBe('Mine');
});

test('a storage that cannot even be read leaves the table working', async () => {
  const storage = new Fragile();
  storage.refuses = new DOMException('private window', 'SecurityError');
  const { shelf, told } = shelfOn(storage);
  await shelf.load();
  await shelf.keep(record('a'));
  expect(told.unstored).toMatch(/does not store runs: private window/);
  expect((await shelf.get('a')).step).toBe(STEPS);
});

test('hidden runs come back; deleted ones stay away, also when their run trains on', async () => {
  const storage = new Fragile();
  const { shelf, told } = shelfOn(storage);
  await shelf.keep(record('a'));
  shelf.hide(['a'], true);
  expect(told.runs).toEqual([]);
  shelf.hide(['a'], false);
  expect(told.runs).toHaveLength(1);
  storage.refuses = full();
  await expect(shelf.delete(['a'])).rejects.toThrow('no room');
  expect(told.runs).toHaveLength(1);
  storage.refuses = null;
  await shelf.delete(['a']);
  expect(await shelf.keep(record('a', { step: 99 }))).toBe(null);
  expect(told.runs).toEqual([]);
  expect(storage.runs.size).toBe(0);
});
