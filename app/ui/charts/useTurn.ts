import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';

const queue = new Set<() => void>();
let frame = 0;

/** Runs one waiting job a frame: four charts that are due never share one. */
function pump(): void {
  frame = 0;
  const next = queue.values().next().value;
  if (!next) return;
  queue.delete(next);
  next();
  if (queue.size) frame = requestAnimationFrame(pump);
}

/** Puts a job behind those that wait; once, however often it is put there before its turn. */
export function enqueue(job: () => void): void {
  queue.add(job);
  if (!frame) frame = requestAnimationFrame(pump);
}

/** Takes a job back. */
export const leaveQueue = (job: () => void): void => void queue.delete(job);

/** True while the element is on the screen and the page is not hidden. */
export function useOnScreen(ref: RefObject<Element | null>): boolean {
  const [on, setOn] = useState(true);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    let inView = true;
    const tell = () => setOn(inView && !document.hidden);
    const sight = new IntersectionObserver((entries) => {
      inView = entries.at(-1)?.isIntersecting ?? true;
      tell();
    });
    sight.observe(element);
    document.addEventListener('visibilitychange', tell);
    return () => {
      sight.disconnect();
      document.removeEventListener('visibilitychange', tell);
    };
  }, [ref]);
  return on;
}

/** `value`, taken over when its turn comes: one chart a frame, and none that is not seen. */
export function useTurn<T>(value: T, seen: boolean): T {
  const [taken, setTaken] = useState(value);
  const newest = useRef(value);
  const job = useCallback(() => setTaken(() => newest.current), []);
  useEffect(() => {
    newest.current = value;
    if (seen) enqueue(job);
  }, [value, seen, job]);
  useEffect(() => () => leaveQueue(job), [job]);
  return taken;
}
