import { useSyncExternalStore } from 'react';

let step: number | null = null;
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const get = () => step;

/** Moves the cursor that all charts share; null takes it away. */
export function setHoverStep(next: number | null): void {
  if (next === step) return;
  step = next;
  for (const listener of listeners) listener();
}

/** The step under the cursor of any chart; null when there is none. */
export const useHoverStep = (): number | null => useSyncExternalStore(subscribe, get, get);
