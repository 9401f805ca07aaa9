import { useEffect, useRef, useState } from 'react';

/** `value`, taken over at most every `ms` milliseconds; the last one always arrives. */
export function useSlow<T>(value: T, ms: number): T {
  const [taken, setTaken] = useState(value);
  const last = useRef(-Infinity);
  useEffect(() => {
    const wait = Math.max(0, last.current + ms - performance.now());
    const timer = setTimeout(() => {
      last.current = performance.now();
      setTaken(() => value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return taken;
}
