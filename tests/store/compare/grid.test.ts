import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultExperiment, patchExperiment, type DatasetName, type Experiment } from '../../../app/protocol/experiment';
import type { DatasetInfo } from '../../../app/protocol/messages';
import { accuracyAt, metricOf, type CellFigures } from '../../../app/store/compare/grid/cellFigures';
import { cellsOf, GridError, makeGrid, MAX_RUNS, nameCell, suggestGrid, type GridText } from '../../../app/store/compare/grid/definition';
import { continueGrid, openGrid, overlayRun, pauseGrid, startGrid, useGridParts } from '../../../app/store/compare/grid/grid';
import { gridCsv } from '../../../app/store/compare/grid/gridCsv';
import { useGrid } from '../../../app/store/compare/grid/gridStore';
import { paretoFront } from '../../../app/store/compare/grid/pareto';
import { Shelf, type CellResult } from '../../../app/store/compare/grid/shelf';
import { Rig } from '../../../app/store/compare/rig';
import { allRuns, removeRuns, useStorage } from '../../../app/store/runs';
import { Database } from '../../../app/store/runs/storage';
import { getState } from '../../../app/store/store';
import { reportOf } from '../cuts';
import { device, FakeWorker, planOf, spectraOf } from '../fakeWorker';

const base = defaultExperiment();
const text = (patch: Partial<GridText> = {}): GridText => ({
  x: { path: 'method.targetRank', values: '0.1, 0.2' },
  y: { path: 'method.lambda', values: '0, 0.01, 1e-3' },
  seeds: '1',
  steps: '50',
  ...patch,
});
const grid = (patch: Partial<GridText> = {}, on: Experiment = base) => makeGrid(on, text(patch), 'g', 0);
const wrong = (patch: Partial<GridText>, on: Experiment = base): GridError => {
  try {
    grid(patch, on);
  } catch (error) {
    if (error instanceof GridError) return error;
  }
  throw new Error('the grid was taken');
};

describe('definition', () => {
  test('values are sorted, seeds are outermost, every run is a valid experiment of the shared length', () => {
    const made = grid({ seeds: '3, 7' });
    expect(made.y.values).toEqual([0, 1e-3, 0.01]);
    const cells = cellsOf(made);
    expect(cells).toHaveLength(12);
    expect(cells.map((cell) => cell.index)).toEqual(cells.map((_, i) => i));
    expect(cells.slice(0, 6).every((cell) => cell.experiment.train.seed === 3)).toBe(true);
    expect(cells[3]!.experiment.method).toMatchObject({ lambda: 1e-3, targetRank: 0.2 });
    expect(cells[3]!.experiment.train.steps).toBe(50);
    expect(nameCell(made, 1, 2)).toBe('λ 0.01, rank 0.2');
  });

  test('choices go by name, and the suggestion is a valid grid', () => {
    const made = grid({ y: { path: 'method.name', values: 'AdamQ3R, adamw' } });
    expect(made.y.values).toEqual(['adamq3r', 'adamw']);
    expect(cellsOf(makeGrid(base, suggestGrid(base), 'g', 0)).length).toBe(9);
    // Where a link locks the two that come first, what is free is varied.
    const rest = suggestGrid(base, (path) => path.startsWith('train.'));
    expect([rest.x.path, rest.y.path]).toEqual(['train.lr', 'train.batchSize']);
    expect(cellsOf(makeGrid(base, rest, 'g', 0)).length).toBe(6);
    const none = makeGrid(
      base,
      suggestGrid(base, () => false),
      'g',
      0,
    );
    expect(cellsOf(none).map(({ experiment }) => experiment)).toEqual([base]);
  });

  test.each<[Partial<GridText>, string, RegExp]>([
    [{ x: { path: 'method.targetRank', values: '0.1, x' } }, 'x', /Target rank must be a number, not "x"/],
    [{ x: { path: 'method.targetRank', values: '' } }, 'x', /needs at least one value/],
    [{ y: { path: 'method.lambda', values: '0, 0' } }, 'y', /twice/],
    [{ y: { path: 'method.lambda', values: '-1' } }, 'y', /from 0 to 1000/],
    [{ y: { path: 'method.targetRank', values: '0.2' } }, 'y', /two different settings/],
    [{ steps: '1.5' }, 'steps', /whole number/],
    [{ seeds: '' }, 'seeds', /at least one seed/],
    [{ x: { path: 'model.numHeads', values: '2, 7' } }, 'x', /Heads must divide/],
    [{ x: { path: 'train.lr', values: Array.from({ length: MAX_RUNS }, (_, i) => i / 1000).join() } }, 'x', /at most 400/],
  ])('%j is refused at its place', (patch, part, message) => {
    const error = wrong(patch);
    expect(error.part).toBe(part);
    expect(error.message).toMatch(message);
  });

  test('a setting that does nothing with the technique is refused', () => {
    const dense = patchExperiment(base, { method: { name: 'adamw' } });
    expect(wrong({}, dense).message).toContain('λ does nothing with AdamW');
  });
});

test('the front holds what nothing beats, by ascending share', () => {
  const p = (kept: number, accuracy: number) => ({ kept, accuracy });
  const points = [p(0.5, 0.7), p(0.2, 0.6), p(0.2, 0.5), p(0.3, 0.55), p(0.8, 0.7), p(0.1, NaN), p(0.9, 0.9)];
  expect(paretoFront(points)).toEqual([p(0.2, 0.6), p(0.5, 0.7), p(0.9, 0.9)]);
  expect(paretoFront([])).toEqual([]);
});

const figures = (accuracy: number): CellFigures => ({
  accuracy,
  kept: 0.25,
  atTarget: accuracy - 0.1,
  loss: 1,
  effectiveRank: 9,
  tailEnergy: 0.2,
  cuts: [
    [0.1, 0.2],
    [0.3, 0.4],
    [1, accuracy],
  ],
  elapsedMs: 1234,
});

test('a share between two measured ones has the accuracy between theirs', () => {
  expect(accuracyAt(figures(0.8), 0.2)).toBeCloseTo(0.3, 12);
  expect(accuracyAt(figures(0.8), 0.05)).toBe(0.2);
  expect(metricOf(figures(0.8), 'atShare', 1)).toBe(0.8);
  expect(metricOf({ ...figures(0.8), cuts: [] }, 'atShare', 1)).toBeNaN();
});

test('the table of a grid has a row for each run, with what is to come and what failed', () => {
  const results: (CellResult | undefined)[] = [
    { figures: figures(0.5), problem: null, wallMs: 5 },
    { figures: null, problem: 'The loss became infinite, "so" it stopped.', wallMs: 5 },
  ];
  const lines = gridCsv(grid(), results).trim().split('\r\n');
  expect(lines).toHaveLength(7);
  expect(lines[1]).toMatch(/^0,0\.1,1,done,0\.5,0\.25,0\.4,/);
  expect(lines[2]).toMatch(/^0,0\.2,1,failed,.*"The loss became infinite, ""so"" it stopped\."$/);
  expect(lines[3]).toMatch(/^0\.001,0\.1,1,to run,,/);
});

/** A worker that trains a run at once, unless told to hold or to fail. */
function worker(hold: () => boolean = () => false, fails: (e: Experiment) => boolean = () => false): FakeWorker {
  let experiment = base;
  let runId = 0;
  const state = (phase: 'idle' | 'running' | 'finished' | 'failed' | 'paused', step: number) =>
    fake.emit({ type: 'state', runId, phase, step, totalSteps: experiment.train.steps, elapsedMs: step, liveBytes: 0 });
  const fake: FakeWorker = new FakeWorker({
    init: () => device,
    configure: ({ experiment: next }) => {
      experiment = next;
      return planOf(next);
    },
    reset: () => {
      runId++;
      fake.emit({ type: 'experiment', runId, experiment });
      state('idle', 0);
    },
    start: () => {
      state('running', 1);
      if (hold()) return;
      const { steps } = experiment.train;
      fake.emit({ type: 'spectra', runId, step: steps, matrices: spectraOf(experiment, 1) });
      if (fails(experiment)) {
        fake.emit({ type: 'fault', fault: { kind: 'non-finite', message: 'The loss became infinite.', detail: '' } });
        state('failed', 3);
      } else state('finished', steps);
    },
    pause: () => state('paused', 2),
    truncate: ({ values }) => reportOf(values, experiment.train.steps),
  });
  return fake;
}

test('a run keeps the count of its own images, and a rig that was closed is not opened to be stopped', async () => {
  const workers: FakeWorker[] = [];
  const rig = new Rig(
    () => {
      workers.push(worker(() => true));
      return workers.at(-1)!;
    },
    () => undefined,
  );
  await rig.configure(base);
  const info = (name: DatasetName, trainCount: number): DatasetInfo => ({
    ...{ name, label: name, synthetic: false, trainCount, testCount: 10, imageSize: 28, channels: 1, classes: [], classCounts: [] },
    ...{ origin: 'cache', bytes: 1, cached: true },
  });
  workers[0]!.emit({ type: 'dataset', info: info('shapes', 20_000) });
  workers[0]!.emit({ type: 'dataset', info: info('mnist', 60_000) });
  expect(rig.record({ id: 'a', name: 'a', parent: null, date: 1 }).origin.trainCount).toBe(20_000);
  await rig.halt();
  expect(workers[0]!.types).toContain('pause');
  rig.close();
  await rig.halt();
  expect(workers).toHaveLength(1);
});

describe('a grid that runs', () => {
  let shelf: Shelf;
  let workers: FakeWorker[];
  let name: string;
  beforeEach(() => {
    name = `test-${crypto.randomUUID()}`;
    shelf = new Shelf(name);
    workers = [];
    localStorage.clear();
    useStorage(new Database(`${name}-runs`));
  });
  afterEach(async () => {
    useGridParts(() => worker(), new Shelf(`${name}-none`));
    await shelf.close();
    for (const database of [name, `${name}-runs`]) indexedDB.deleteDatabase(database);
  });
  const use = (make: () => FakeWorker, on = shelf) =>
    useGridParts(() => {
      const next = make();
      workers.push(next);
      return next;
    }, on);

  test('every run is made from step 0 and kept with its figures and its record', async () => {
    use(() => worker());
    await startGrid(base, text());
    const { results, phase, definition } = useGrid.getState();
    expect(phase).toBe('done');
    expect(results.filter((r) => r?.figures)).toHaveLength(6);
    expect(workers).toHaveLength(1);
    // λ and target rank are live settings: without a reset the runs would be one.
    expect(workers[0]!.types.filter((t) => t === 'reset')).toHaveLength(6);
    expect(workers[0]!.asked[0]).toMatchObject({ type: 'init', keep: false });
    const [kept] = await shelf.list();
    expect(kept!.results).toEqual(results);
    const record = await shelf.record(definition!.id, 5);
    expect(record!.experiment.method).toMatchObject({ lambda: 0.01, targetRank: 0.2 });
    expect(record!.frames.at(-1)!.matrices.length).toBeGreaterThan(0);
    expect(localStorage.getItem('q3r.grid')).toBe('');
    // All are runs like any other, of one grid, and come back when they are asked for after they were deleted.
    const others = await allRuns();
    expect(others.map(({ name: called, grid: of }) => [called, of?.name])).toContainEqual(['λ 0.01, rank 0.2', 'λ × Target rank']);
    expect(new Set(others.map(({ grid: of }) => of?.id))).toEqual(new Set([definition!.id]));
    expect(others).toHaveLength(6);
    await removeRuns([record!.id]);
    await overlayRun(record!);
    expect((await allRuns()).find(({ id }) => id === record!.id)).toMatchObject({ imported: false, grid: { id: definition!.id } });
    expect(getState().shown.map((run) => run.record.id)).toEqual([record!.id]);
  });

  test('a run that fails is noted with its reason, and the next one has a fresh worker', async () => {
    use(() => worker(undefined, (e) => e.method.lambda === 1e-3 && e.method.targetRank === 0.1));
    await startGrid(base, text());
    const { results } = useGrid.getState();
    expect(results.map((r) => r!.problem)).toEqual([null, null, 'The loss became infinite.', null, null, null]);
    expect(workers).toHaveLength(2);
  });

  test('a grid left in its middle is offered and goes on with the next run; the half-done one starts over', async () => {
    let begun = 0;
    use(() => worker(() => ++begun === 3));
    void startGrid(base, text());
    await vi.waitFor(() => expect(begun).toBe(3));
    await vi.waitFor(async () => expect((await shelf.list())[0]?.results.filter(Boolean)).toHaveLength(2));
    expect(localStorage.getItem('q3r.grid')).toBe('2/6');
    // The page is gone: another finds what the storage has.
    const again = new Shelf(name);
    workers = [];
    use(() => worker(), again);
    await openGrid();
    expect(useGrid.getState().phase).toBe('stopped');
    await continueGrid();
    const { results, phase } = useGrid.getState();
    expect(phase).toBe('done');
    expect(results.filter((r) => r?.figures)).toHaveLength(6);
    expect(workers[0]!.types.filter((t) => t === 'reset')).toHaveLength(4);
    await again.close();
  });

  test('paused, the run under way waits, and goes on where it was', async () => {
    let held = true;
    use(() => worker(() => held));
    const ended = startGrid(base, text());
    await vi.waitFor(() => expect(workers[0]?.types).toContain('start'));
    pauseGrid();
    await vi.waitFor(() => expect(workers[0]!.types).toContain('pause'));
    expect(useGrid.getState().phase).toBe('paused');
    held = false;
    await continueGrid();
    await ended;
    expect(useGrid.getState().phase).toBe('done');
    // The first run was started twice and reset once.
    expect(workers[0]!.types.filter((t) => t === 'reset')).toHaveLength(6);
    expect(workers[0]!.types.filter((t) => t === 'start')).toHaveLength(7);
  });

  test('removing a grid takes its runs along', async () => {
    use(() => worker());
    await startGrid(base, text());
    const { id } = useGrid.getState().definition!;
    expect(await shelf.record(id, 0)).not.toBeNull();
    await shelf.remove(id);
    expect(await shelf.list()).toEqual([]);
    expect(await shelf.record(id, 0)).toBeNull();
  });
});
