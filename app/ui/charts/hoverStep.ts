import { useSyncExternalStore } from 'react';

let step: number | null = null;
const listeners = new Set<() => void>();

/** Calls `listener` when the cursor that all charts share moves. Returns the end of it. */
export function watchHoverStep(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
/** The step under the cursor of any chart; null when there is none. */
export const hoverStep = (): number | null => step;

/** Moves the cursor that all charts share; null takes it away. */
export function setHoverStep(next: number | null): void {
  if (next === step) return;
  step = next;
  for (const listener of listeners) listener();
}

/** `hoverStep`, rendering again when it changes. */
export const useHoverStep = (): number | null => useSyncExternalStore(watchHoverStep, hoverStep, hoverStep);
