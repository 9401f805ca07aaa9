import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { presetExperiment } from '../../app/protocol/presets';
import { pauseScrub, playScrub, resetZoom, scrubBy, scrubToStart, setScrub, setZoom } from '../../app/store/actions';
import { frames } from '../../app/store/frames';
import { getState, initialState, setState } from '../../app/store/store';
import { spectraOf } from './fakeWorker';

const matrices = spectraOf(presetExperiment('nano'), 1);
beforeEach(() => {
  setState({ ...initialState(), runId: 4, phase: 'finished' });
  frames.load(
    4,
    [1, 10, 20, 30, 40].map((step) => ({ step, matrices })),
  );
});
afterEach(() => {
  pauseScrub();
  vi.useRealTimers();
});

describe('the zoom', () => {
  test('is ordered, at least two steps, and not before the start', () => {
    setZoom(300, 100);
    expect(getState().zoom).toEqual([100, 300]);
    setZoom(50, 50);
    expect(getState().zoom).toEqual([49, 51]);
    setZoom(-20, 40);
    expect(getState().zoom).toEqual([0, 40]);
    setZoom(NaN, 4);
    expect(getState().zoom).toEqual([0, 40]);
    resetZoom();
    expect(getState().zoom).toBeNull();
  });
});

describe('looking back', () => {
  test('goes from spectrum to spectrum, and behind the last to the newest', () => {
    scrubBy(-1);
    expect(getState().scrub).toBe(30);
    scrubBy(-2);
    expect(getState().scrub).toBe(10);
    scrubBy(-9);
    expect(getState().scrub).toBe(1);
    scrubToStart();
    expect(getState().scrub).toBe(1);
    scrubBy(2);
    expect(getState().scrub).toBe(20);
    scrubBy(9);
    expect(getState().scrub).toBeNull();
  });

  test('plays from the start to the newest, and a hand on the slider ends it', async () => {
    const seen: number[] = [];
    playScrub(false);
    expect(getState()).toMatchObject({ scrubbing: true, scrub: 1 });
    while (getState().scrubbing) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (getState().scrub !== null) seen.push(getState().scrub!);
    }
    expect(getState().scrub).toBeNull();
    for (let i = 1; i < seen.length; i++) expect(seen[i]!).toBeGreaterThanOrEqual(seen[i - 1]!);
    expect(new Set(seen).size).toBeGreaterThan(8);
    playScrub(false);
    setScrub(20);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(getState()).toMatchObject({ scrubbing: false, scrub: 20 });
  });

  test('with reduced motion it stops at each spectrum instead of gliding', () => {
    vi.useFakeTimers();
    setScrub(10);
    playScrub(true);
    const seen = [getState().scrub];
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(500);
      seen.push(getState().scrub);
    }
    expect(seen).toEqual([10, 20, 30, null]);
    expect(getState().scrubbing).toBe(false);
  });

  test('stays within the zoom, and does nothing with fewer than two spectra in it', () => {
    vi.useFakeTimers();
    setZoom(10, 30);
    playScrub(true);
    expect(getState().scrub).toBe(10);
    vi.advanceTimersByTime(1000);
    expect(getState()).toMatchObject({ scrubbing: false, scrub: 30 });
    setScrub(null);
    setZoom(12, 18);
    playScrub(true);
    expect(getState()).toMatchObject({ scrubbing: false, scrub: null });
  });
});
