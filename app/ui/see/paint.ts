import type { Context } from '../charts/canvas';
import { rgbOf } from '../charts/heatColour';

/** RGBA pixels as something a canvas can draw. */
export function pictureOf(pixels: Uint8ClampedArray, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  image.data.set(pixels);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}

/** Of the cover over a patch that gets nothing. */
const COVER = 0.94;

/**
 * A picture lit by attention: a patch with `largest` or more of it is left as it is, one without any is covered by the page's surface.
 * @param patches [side²]
 */
export function paintLit(
  g: Context,
  picture: HTMLCanvasElement,
  patches: Float32Array,
  o: { x: number; y: number; size: number; largest: number; surface: string },
): void {
  const side = Math.round(Math.sqrt(patches.length));
  const [red, green, blue] = rgbOf(o.surface);
  const cover = new Uint8ClampedArray(4 * patches.length);
  patches.forEach((share, i) => {
    const lit = o.largest > 0 ? Math.min(1, share / o.largest) : 0;
    cover.set([red, green, blue, 255 * COVER * (1 - lit)], 4 * i);
  });
  g.imageSmoothingEnabled = false;
  g.drawImage(picture, o.x, o.y, o.size, o.size);
  g.drawImage(pictureOf(cover, side, side), o.x, o.y, o.size, o.size);
}
