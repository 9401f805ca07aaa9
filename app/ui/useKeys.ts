import { useEffect } from 'react';
import { tinykeys } from 'tinykeys';
import { partShown } from '../protocol/locks';
import { attempt, blockedBecause, newSeed, openSetup, reset, setProjector, stepOnce, toggleProjector, togglePlay } from '../store/actions';
import { getState } from '../store/store';

/** Where a key means something else: text boxes, open dialogs and menus. */
export const busy = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  (target.closest(
    'input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, dialog, [popover], [contenteditable]',
  ) !== null ||
    document.querySelector('dialog[open]') !== null);
/** Space presses the button that has the focus; then it is not ours. */
export const presses = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('button, a, summary, input') !== null;

/** The page's keys, see `KeyHelp`. */
export function useKeys(): void {
  useEffect(() => {
    const on = (allowed: (target: EventTarget | null) => boolean, action: () => void) => (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || !allowed(event.target)) return;
      event.preventDefault();
      action();
    };
    // Other screens have keys of their own.
    const free = (target: EventTarget | null) => !busy(target) && !['compare', 'lesson'].includes(getState().screen);
    const steps = () => partShown(getState().locks, 'transport');
    const canStep = () => blockedBecause() === undefined && getState().phase !== 'running' && !getState().starting;
    return tinykeys(window, {
      Space: on(
        (target) => free(target) && !presses(target),
        () => {
          if (getState().phase === 'running' || getState().starting || blockedBecause() === undefined) attempt(togglePlay());
        },
      ),
      '.': on(free, () => {
        if (steps() && canStep()) attempt(stepOnce());
      }),
      r: on(free, () => {
        if (steps()) attempt(reset());
      }),
      p: on(
        (target) => !busy(target),
        () => toggleProjector(),
      ),
      n: on(free, () => {
        // Where it is locked, the message says so.
        if (blockedBecause() === undefined) attempt(newSeed());
      }),
      Escape: (event) => {
        if (event.defaultPrevented) return;
        if (getState().setupOpen) openSetup(false);
        else if (getState().projector && !busy(event.target)) setProjector(false);
      },
    });
  }, []);
}
