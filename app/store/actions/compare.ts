import { getState, setState } from '../store';
import { pause } from './run';

/** Leaves the run on screen, paused and kept, for the screen that compares several. @throws WorkerError */
export async function openCompare(): Promise<void> {
  const { phase } = getState();
  setState({ screen: 'compare' });
  if (phase === 'running') await pause();
}
