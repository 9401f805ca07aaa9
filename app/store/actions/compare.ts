import { getState, setState } from '../store';
import { pause } from './run';

let opened = false;
/** The comparing screen was opened in this visit: what an earlier one left is no news any more. */
export const compareOpened = (): boolean => opened;

/** Leaves the run on screen, paused and kept, for the screen that compares several. @throws WorkerError */
export async function openCompare(): Promise<void> {
  const { phase } = getState();
  opened = true;
  setState({ screen: 'compare' });
  if (phase === 'running') await pause();
}
