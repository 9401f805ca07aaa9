import type { RunRecord } from '../../../protocol/run/record';
import { ConfigError, type Experiment } from '../../../protocol/experiment';
import { nearestPreset } from '../../../protocol/presets';
import { adopt, allowed, guard, openFork, recall, remember, showRun } from '../../actions';
import { addRun, keepRun } from '../../runs';
import { setState, type RunGrid } from '../../store';
import { createWorker, type WorkerLike } from '../../workerClient';
import { Rig } from '../rig';
import type { GridMetric } from './cellFigures';
import { cellsOf, GridError, gridName, makeGrid, nameCell, type GridCell, type GridDefinition, type GridText } from './definition';
import { gridState, useGrid, type GridState } from './gridStore';
import { GridRunner } from './runner';
import { Shelf, type CellResult, type KeptGrid } from './shelf';

const get = (): GridState => useGrid.getState();
const set = (patch: Partial<GridState>): void => useGrid.setState(patch);

/** Says at the next visit that a grid is unfinished, without opening the storage: "3/9". */
export const UNFINISHED = 'q3r.grid';

let create: () => WorkerLike = createWorker;
let shelf = new Shelf();
let runner: GridRunner | null = null;

/** Uses other workers and another storage from now on, for tests. */
export function useGridParts(next: () => WorkerLike, other: Shelf): void {
  runner?.stop();
  runner = null;
  create = next;
  shelf = other;
  opened = false;
  set(gridState());
}

let opened = false;
/** Looks for the grids of this browser, once, and shows the newest when it is unfinished. */
export async function openGrid(): Promise<void> {
  if (opened) return;
  opened = true;
  try {
    const kept = await shelf.list();
    set({ kept });
    const [newest] = kept;
    if (newest && get().phase === 'setup' && unfinished(newest)) showGrid(newest);
  } catch (error) {
    set({ notKept: textOfError(error) });
  }
}

const textOfError = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const remaining = ({ definition, results }: KeptGrid): GridCell[] => cellsOf(definition).filter(({ index }) => !results[index]);
export const unfinished = (grid: KeptGrid): boolean => remaining(grid).length > 0;

/** Shows a kept grid, to look at it or to go on with it. */
export function showGrid(grid: KeptGrid): void {
  if (runner) return;
  const { definition, results } = grid;
  set({ definition, results, phase: unfinished(grid) ? 'stopped' : 'done', current: null, record: null, selected: null, problem: null });
  const first = cellsOf(definition).find(({ index }) => results[index]?.figures);
  if (first) void selectPlace(first.x, first.y);
}

/** Shows a kept grid by its id. @throws Error where this browser does not keep it any more */
export async function showGridById(id: string): Promise<void> {
  await openGrid();
  if (get().definition?.id === id) return;
  if (runner) throw new Error('A grid is under way; stop it to open another.');
  const grid = (await shelf.list()).find(({ definition }) => definition.id === id);
  if (!grid) throw new Error('This browser does not keep that grid any more; its runs are in the table.');
  showGrid(grid);
}

/** Back to the form; a grid that runs is stopped first by the visitor. */
export function newGrid(): void {
  if (runner) return;
  set({ definition: null, results: [], phase: 'setup', current: null, record: null, selected: null, problem: null });
  void refreshKept();
}

/** Chooses what the runs of a grid to come share; its axes are suggested anew. */
export const setSource = (source: string): void => set({ source, draft: null });
/** What is typed for a grid to come. */
export const setDraft = (draft: GridText): void => set({ draft });
/** Puts the grid of a link into the form. False where one is under way. */
export function setUpGrid(linked: Experiment, draft: GridText): boolean {
  if (runner) return false;
  newGrid();
  opened = true;
  set({ source: 'link', linked, draft });
  return true;
}

/** Setting and part of the form that holds it. */
const PART_OF: Readonly<Record<string, keyof GridText>> = { 'train.steps': 'steps', 'train.seed': 'seeds' };
/** Where the link of the page locks what the grid varies, no run of it begins. @throws GridError at the part that varies it */
function requireOpen(definition: GridDefinition): void {
  const { x, y } = definition;
  try {
    for (const { experiment } of cellsOf(definition)) guard(experiment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { field, message } = error;
    throw new GridError(field === y.path ? 'y' : field === x.path ? 'x' : (PART_OF[field] ?? 'x'), message);
  }
}

/** Begins the grid that was typed. Resolves when it has ended. @throws GridError naming the part that is wrong */
export async function startGrid(base: Experiment, text: GridText): Promise<void> {
  if (runner) return;
  const definition = makeGrid(base, text, crypto.randomUUID(), Date.now());
  requireOpen(definition);
  const grid: KeptGrid = { definition, results: [] };
  set({ definition, results: [], record: null, selected: null, problem: null, notKept: null });
  try {
    await shelf.put(grid);
  } catch (error) {
    set({ notKept: textOfError(error) });
  }
  await go();
}

/** Goes on: with the run under way after a pause, with the next run after a reload. Resolves when the grid has ended. */
export async function continueGrid(): Promise<void> {
  if (runner) {
    runner.continue();
    set({ phase: 'running' });
  } else await go();
}

async function go(): Promise<void> {
  const { definition, results } = get();
  if (!definition || runner) return;
  const cells = remaining({ definition, results });
  const locked = cells.find(({ experiment }) => !allowed(experiment));
  if (locked) {
    set({
      problem: `The link of this page locks settings that ${nameCell(definition, locked.x, locked.y)} changes: the grid cannot go on here.`,
    });
    return;
  }
  const mine = (runner = new GridRunner({
    rig: (changed) => new Rig(() => create(), changed),
    onProgress: (cell, rig) => told(cell, rig),
    onResult: (cell, result, record) => took(definition, cell, result, record),
    about: (cell) => ({
      id: `${definition.id}-${cell.index}`,
      name: nameCell(definition, cell.x, cell.y) + (definition.seeds.length > 1 ? `, seed ${cell.seed}` : ''),
      parent: null,
      date: Date.now(),
    }),
  }));
  set({ phase: 'running', problem: null });
  tellUnfinished();
  try {
    await mine.run(cells);
  } catch (error) {
    set({ problem: textOfError(error) });
  }
  if (runner === mine) runner = null;
  const now = get();
  if (now.definition !== definition) return;
  set({ phase: unfinished({ definition, results: now.results }) ? 'stopped' : 'done', current: null, liveBytes: 0 });
  tellUnfinished();
}

function tellUnfinished(): void {
  const { definition, results, phase } = get();
  const runs = definition ? cellsOf(definition).length : 0;
  remember(UNFINISHED, !definition || phase === 'done' ? '' : `${results.filter(Boolean).length}/${runs}`);
}

/** Milliseconds between two looks of the page at the run under way. */
const LOOK_MS = 150;
let looked = 0;
function told(cell: GridCell, rig: Rig): void {
  const now = performance.now();
  const { step, stages, timing, liveBytes, running } = rig.state;
  if (now - looked < LOOK_MS && get().current?.index === cell.index && step > 0) return;
  looked = now;
  const total = running?.train.steps ?? cell.experiment.train.steps;
  // A worker that made another run before tells of that one until it begins this one.
  const mine = running === null || JSON.stringify(running) === JSON.stringify(cell.experiment);
  const done = mine && rig.state.phase !== 'idle' ? step : 0;
  set({
    current: {
      index: cell.index,
      share: Math.min(1, done / Math.max(1, total)),
      step: done,
      total,
      stage: stages.find((s) => s.state === 'active')?.label ?? '',
      msPerStep: timing?.msPerStep ?? null,
    },
    liveBytes,
  });
}

async function took(definition: GridDefinition, cell: GridCell, result: CellResult, record: RunRecord | null): Promise<void> {
  const { selected } = get();
  const results = [...get().results];
  results[cell.index] = result;
  set({ results, current: null });
  tellUnfinished();
  try {
    await shelf.putCell(definition.id, cell.index, result, record);
  } catch (error) {
    set({ notKept: textOfError(error) });
  }
  // Among the other runs, too: to draw, rank and tell apart.
  if (record) await keepRun(record, { grid: gridOf(definition) });
  // The first that is done is looked at, and one that the visitor waits for.
  const waited = selected?.x === cell.x && selected.y === cell.y && !get().record;
  if (result.figures && (!selected || waited)) set({ selected: { x: cell.x, y: cell.y }, record });
}

/** Stops after the step under way; the run waits. */
export function pauseGrid(): void {
  if (!runner || runner.paused) return;
  runner.pause();
  set({ phase: 'paused' });
}
export const toggleGrid = (): Promise<void> | void => (get().phase === 'running' ? pauseGrid() : continueGrid());

/** Gives the run under way up; what is done stays, and the grid can be gone on with. */
export function stopGrid(): void {
  runner?.stop();
}

/** Looks at a place of the map: the run of its first seed that is done. */
export async function selectPlace(x: number, y: number): Promise<void> {
  const { definition, results } = get();
  if (!definition) return;
  set({ selected: { x, y }, record: null });
  const cell = cellsOf(definition).find((c) => c.x === x && c.y === y && results[c.index]?.figures);
  if (!cell) return;
  const record = await shelf.record(definition.id, cell.index).catch(() => null);
  const now = get().selected;
  if (now?.x === x && now.y === y && get().definition === definition) set({ record });
}

export const setMetric = (metric: GridMetric): void => set({ metric });
export const setShare = (share: number): void => set({ share: Math.min(1, Math.max(0.01, share)) });

/** How long a removed grid can be had back, milliseconds. */
export const UNDO_MS = 8000;
let undoTimer: ReturnType<typeof setTimeout> | undefined;
/** Takes a kept grid off the page; it is removed with its runs when the time for Undo is over. */
export function discardGrid(id: string): void {
  finishDiscard();
  const discarded = get().kept.find((grid) => grid.definition.id === id);
  if (!discarded) return;
  set({ kept: get().kept.filter((grid) => grid !== discarded), discarded });
  undoTimer = setTimeout(finishDiscard, UNDO_MS);
}
export function undoDiscardGrid(): void {
  clearTimeout(undoTimer);
  set({ discarded: null });
  void refreshKept();
}
function finishDiscard(): void {
  clearTimeout(undoTimer);
  const { discarded } = get();
  if (!discarded) return;
  set({ discarded: null });
  shelf.remove(discarded.definition.id).catch((error: unknown) => set({ problem: textOfError(error) }));
  if (recall(UNFINISHED) && !get().kept.some(unfinished)) remember(UNFINISHED, '');
}

async function refreshKept(): Promise<void> {
  const kept = await shelf.list().catch(() => []);
  const { discarded } = get();
  set({ kept: kept.filter((grid) => grid.definition.id !== discarded?.definition.id) });
}

const gridOf = (definition: GridDefinition): RunGrid => ({ id: definition.id, name: gridName(definition) });
/** A finished run, kept among the others: one of an earlier version of the page, or deleted from them, is there again. */
async function withOthers(record: RunRecord): Promise<void> {
  const { definition } = get();
  if (definition) await addRun(record, gridOf(definition));
}

/** Draws a finished run over the run on screen. */
export async function overlayRun(record: RunRecord): Promise<void> {
  await withOthers(record);
  setState({ screen: 'main', tab: 'watch' });
  await showRun(record.id, true);
}

/** "Same start, one change" of a finished run. */
export async function forkCell(record: RunRecord): Promise<void> {
  await withOthers(record);
  setState({ screen: 'main' });
  await openFork(record.id);
}

/** Puts a run's experiment into the settings. Asks first where that would end a run. */
export function takeCellSettings(experiment: Experiment, name: string): void {
  setState({ screen: 'main', tab: 'setup', setupOpen: true });
  adopt(experiment, nearestPreset(experiment), `the experiment of ${name}`);
}

export const dismissGridProblem = (): void => set({ problem: null });
