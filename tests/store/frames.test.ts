import { describe, expect, test } from 'vitest';
import { presetExperiment } from '../../app/protocol/presets';
import { MAX_FRAMES } from '../../app/protocol/run/record';
import { Clock } from '../../app/store/clock';
import { Frames } from '../../app/store/frames';
import { newMemory, noteReport } from '../../app/store/memory';
import { spectraOf } from './fakeWorker';

const matrices = spectraOf(presetExperiment('nano'), 1);
const pushed = (...steps: number[]): Frames => {
  const frames = new Frames();
  frames.begin(1, 'running', 0);
  for (const step of steps) frames.push(step, matrices);
  return frames;
};
const stepsOf = (frames: Frames): number[] => frames.all().map((frame) => frame.step);

describe('Frames', () => {
  test('gives the frame at a step or the last before it, and the first before all', () => {
    const frames = pushed(5, 10, 20);
    expect([1, 5, 9, 10, 19, 20, 99].map((step) => frames.at(step)?.step)).toEqual([5, 5, 5, 10, 10, 20, 20]);
    expect(new Frames().at(3)).toBeNull();
  });

  test('stays within bounds over a long run, evenly spread, with the first and always the newest', () => {
    const frames = pushed();
    for (let step = 1; step <= 5000; step++) {
      frames.push(step, matrices);
      expect(frames.length).toBeLessThanOrEqual(MAX_FRAMES);
      expect(frames.at(step)?.step).toBe(step);
    }
    const steps = stepsOf(frames);
    expect(steps[0]).toBe(1);
    const gaps = steps.slice(1, -1).map((step, i) => step - steps[i]!);
    expect(new Set(gaps)).toEqual(new Set([32]));
  });

  test('going back forgets what lies after, and the run goes on from there', () => {
    const frames = pushed(5, 10, 20, 30);
    frames.push(12, matrices);
    expect(stepsOf(frames)).toEqual([5, 10, 12]);
    frames.begin(1, 'paused', 10);
    expect(stepsOf(frames)).toEqual([5, 10]);
    // In a run, spectra may be of steps whose results are still on their way.
    frames.begin(1, 'running', 8);
    expect(stepsOf(frames)).toEqual([5, 10]);
  });

  test('another run starts empty, an older one changes nothing, and listeners hear of it', () => {
    const frames = pushed(5, 10);
    let heard = 0;
    const stop = frames.subscribe(() => heard++);
    const before = frames.version;
    frames.begin(0, 'paused', 0);
    expect(stepsOf(frames)).toEqual([5, 10]);
    frames.begin(2, 'preparing', 0);
    expect(frames.all()).toEqual([]);
    expect(frames.version).toBeGreaterThan(before);
    expect(heard).toBe(1);
    stop();
    frames.push(1, matrices);
    expect(heard).toBe(1);
  });
});

describe('Clock', () => {
  test('keeps pairs in order, once a step, and goes back with the run', () => {
    const clock = new Clock();
    clock.note(1, 'preparing', 0, 0);
    clock.note(1, 'running', 0, 20);
    clock.note(1, 'running', 4, 100);
    clock.note(1, 'paused', 4, 130);
    clock.note(1, 'running', 8, 260);
    expect([...clock.packed()]).toEqual([4, 100, 8, 260]);
    clock.note(1, 'paused', 6, 300);
    expect([...clock.packed()]).toEqual([4, 100, 6, 300]);
    clock.note(2, 'preparing', 0, 0);
    expect(clock.packed()).toHaveLength(0);
  });

  test('stays small over a long run, ascending, and ends at the newest', () => {
    const clock = new Clock();
    for (let step = 3; step <= 60_000; step += 3) clock.note(1, 'running', step, step * 2);
    const pairs = clock.packed();
    expect(pairs.length).toBeLessThanOrEqual(1024);
    expect(pairs.length).toBeGreaterThan(400);
    expect([pairs.at(-2), pairs.at(-1)]).toEqual([60_000, 120_000]);
    for (let i = 2; i < pairs.length; i += 2) expect(pairs[i]).toBeGreaterThan(pairs[i - 2]!);
    const copy = new Clock();
    copy.load(7, pairs);
    expect([...copy.packed()]).toEqual([...pairs]);
  });
});

test('what is still told of an older run, or of none, takes nothing of the present one away', () => {
  const memory = newMemory();
  const state = (runId: number, step: number) =>
    noteReport(memory, { type: 'state', runId, phase: 'paused', step, totalSteps: 9, elapsedMs: step, liveBytes: 0 }, 2);
  state(2, 0);
  memory.records.append(2, 1, new Float64Array(12));
  memory.frames.push(2, matrices);
  state(2, 2);
  state(0, 0);
  state(-1, 1);
  expect([memory.records.length, memory.frames.length, memory.clock.packed().length]).toEqual([2, 1, 2]);
});
