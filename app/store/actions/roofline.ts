import type { RooflineReport } from '../../protocol/roofline';
import { getState, setState } from '../store';
import { WorkerError } from '../workerClient';
import { engine } from './engine';

export const openRoofline = (rooflineOpen: boolean): void =>
  setState({ rooflineOpen, ...(rooflineOpen && { seeOpen: false, tab: 'watch' as const }) });

let underWay: Promise<RooflineReport> | null = null;

/**
 * Measures the device and a step of the run on screen, or of the form where there is none; the same measurement for all who ask
 * while it is under way. @throws WorkerError, with the name AbortError when it is cancelled
 */
export function measureRoofline(seconds?: number): Promise<RooflineReport> {
  underWay ??= measure(seconds).finally(() => (underWay = null));
  return underWay;
}

async function measure(seconds?: number): Promise<RooflineReport> {
  const { running, experiment, replay } = getState();
  setState({ rooflineProgress: { stage: 'Waiting for the run', share: 0 }, rooflineError: null });
  try {
    // The run of a recording is another device's.
    const roofline = await engine().send('roofline', {
      experiment: (replay ? null : running) ?? experiment,
      ...(seconds !== undefined && { seconds }),
    });
    setState({ roofline });
    return roofline;
  } catch (error) {
    // What is wrong with the device itself, the page shows in place of the stage.
    if (error instanceof WorkerError && error.name !== 'AbortError' && !error.fault) setState({ rooflineError: error.message });
    throw error;
  } finally {
    setState({ rooflineProgress: null });
  }
}

/** Gives up a measurement; nothing where there is none. */
export async function cancelRoofline(): Promise<void> {
  if (underWay) await engine().send('cancelRoofline', {});
}
