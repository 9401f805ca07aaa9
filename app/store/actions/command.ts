import { toCommandLine, type WrittenCommand } from '../../protocol/commandLine';
import type { Experiment } from '../../protocol/experiment';
import { nearestPreset } from '../../protocol/presets';
import { getState, setState } from '../store';
import { adopt, requestPlan } from './form';
import { remember } from './view';

/** Opens the dialog that takes a command of the reference, filled with `text`. */
export const openCommand = (text = ''): void => setState({ command: text });
export const closeCommand = (): void => setState({ command: null });

/** Shows the experiment of a pasted text, asking first where that would end a run. @throws LockError */
export function takePasted(experiment: Experiment): void {
  adopt(experiment, nearestPreset(experiment), 'the experiment of the command');
  remember('q3r.visited', '1');
  setState({ command: null, screen: 'main' });
  requestPlan();
}

/** The reference's command for the shown experiment, and what it does not say. */
export const commandLine = (): WrittenCommand => toCommandLine(getState().experiment);

/** Copies the command. `copied` is false when the browser refuses the clipboard. */
export async function copyCommandLine(): Promise<WrittenCommand & { readonly copied: boolean }> {
  const written = commandLine();
  try {
    await navigator.clipboard.writeText(written.line);
    return { ...written, copied: true };
  } catch {
    return { ...written, copied: false };
  }
}
