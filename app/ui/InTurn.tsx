import { useEffect, useState, type ReactNode } from 'react';
import { enqueue, leaveQueue } from './charts/useTurn';

/** Shows what it holds when its turn comes, one such part a frame: a page that builds all of itself at once stands still for 200 ms. */
export function InTurn({ children }: { children: ReactNode }) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const job = () => setDue(true);
    enqueue(job);
    return () => leaveQueue(job);
  }, []);
  return due && children;
}
