import { useEffect, useRef, useSyncExternalStore, type RefObject } from 'react';
import { palette, prepare, watchPalette, type Context, type Palette } from './canvas';

/** The current theme's palette; re-renders when it changes. */
export const usePalette = (): Palette => useSyncExternalStore(watchPalette, palette, palette);

export type Draw = (g: Context, width: number, height: number, palette: Palette) => void;

/** Calls the listener when there is something new to draw; returns the end of it. */
export type Watch = (listener: () => void) => () => void;

/**
 * Draws on a canvas at the next frame after `draw` changes, the element's size, the pixel ratio or the theme does, or `watch` calls,
 * which costs no rendering. Nothing is drawn while the page is hidden or the canvas is off the screen; it is caught up when it returns.
 */
export function useCanvas(draw: Draw, watch?: Watch): RefObject<HTMLCanvasElement | null> {
  const ref = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  const request = useRef<() => void>(() => undefined);
  const colours = usePalette();

  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    let frame = 0;
    let shown = true;
    let stale = false;
    const paint = () => {
      frame = 0;
      const target = prepare(canvas);
      if (target) latest.current(target.g, target.width, target.height, palette());
    };
    request.current = () => {
      if (!shown || document.hidden) stale = true;
      else if (!frame) frame = requestAnimationFrame(paint);
    };
    const catchUp = () => {
      if (!stale) return;
      stale = false;
      request.current();
    };
    // Sizes change before the frame is drawn, so painting here at once shows no stretched picture.
    const size = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      paint();
    });
    size.observe(canvas);
    const sight = new IntersectionObserver((entries) => {
      shown = entries.at(-1)?.isIntersecting ?? true;
      if (shown) catchUp();
    });
    sight.observe(canvas);
    document.addEventListener('visibilitychange', catchUp);
    const ratio = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    ratio.addEventListener('change', paint);
    return () => {
      cancelAnimationFrame(frame);
      size.disconnect();
      sight.disconnect();
      document.removeEventListener('visibilitychange', catchUp);
      ratio.removeEventListener('change', paint);
    };
  }, []);

  useEffect(() => {
    latest.current = draw;
    request.current();
  }, [draw, colours]);
  useEffect(() => watch?.(() => request.current()), [watch]);
  return ref;
}
