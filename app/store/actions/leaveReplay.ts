import { getState, setState } from '../store';
import { takeBack } from './engine';
import { pauseScrub } from './timeline';

/** A command that makes no sense now; the message says what is missing. */
export class NotReadyError extends Error {
  override name = 'NotReadyError';
}

/** Back to what was on screen before the recording: the worker's run, and the settings. Nothing where there is no recording. */
export function leaveReplay(): void {
  if (!getState().replay) return;
  pauseScrub();
  // The run that is back is drawn as the one on screen, not over itself.
  setState((s) => ({ replay: null, shown: s.shown.filter(({ record }) => record.id !== s.runHere), ...takeBack() }));
  forgetAddress();
}

/** A reload shows the page's own run again. */
function forgetAddress(): void {
  const parts = location.hash.slice(1).split('&');
  const rest = parts.filter((part) => !/^(replay|results)=/.test(part));
  if (rest.length < parts.length)
    history.replaceState(null, '', rest.length > 0 ? `#${rest.join('&')}` : location.pathname + location.search);
}

/** What acts on weights needs a run of this page. @throws NotReadyError in a replay */
export function requireLive(): void {
  if (getState().replay) throw new NotReadyError('This is a recording, which holds no weights: run it here, or close it, first.');
}
