import { useEffect } from 'react';

/** Milliseconds after a press at which the focus is looked after, and between two looks. */
const SOON = 60;
const AGAIN = 100;
/** A part of the page that comes from the network, or a button that waits for the GPU, is waited for this long, ms. */
const PATIENCE = 5000;

const lost = (): boolean => document.activeElement === null || document.activeElement === document.body;

/** Gives the focus to an element where it is to be seen and takes it. */
function give(element: HTMLElement | null | undefined): boolean {
  if (!element?.isConnected || !element.checkVisibility() || element.matches(':disabled')) return false;
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus({ preventScroll: true });
  return document.activeElement === element;
}

/** The heading of what is shown: of the dialog on top, or of the page. */
function heading(): HTMLElement | null {
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  return (dialog ?? document).querySelector(dialog ? 'h2' : 'main:not([aria-busy]) h1');
}

/**
 * Whoever works with the keys stays where they are: where what was pressed goes away with what it did, the focus goes to the heading of what
 * is there instead; where it rests for a moment, as Step does while its step is made, the focus comes back to it.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const pressed = () => {
      const { activeElement } = document;
      if (!(activeElement instanceof HTMLElement) || lost()) return;
      const until = performance.now() + PATIENCE;
      const look = () => {
        if (!lost() || performance.now() > until) return;
        const rests = activeElement.isConnected && activeElement.matches(':disabled');
        if (rests || !(give(activeElement) || give(heading()))) timer = setTimeout(look, AGAIN);
      };
      clearTimeout(timer);
      timer = setTimeout(look, SOON);
    };
    document.addEventListener('click', pressed, true);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('click', pressed, true);
    };
  }, []);
}
