import type { Context } from '../charts/canvas';

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

const rgbOf = (hex: string): [number, number, number] =>
  [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as [number, number, number];
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

/** Colour of a share in [0, 1] on the heat ramp, and black or white, whichever can be read on it. */
export function heatColour(heat: readonly string[], share: number): { background: string; color: string } {
  const at = Math.min(1, Math.max(0, share)) * (heat.length - 1);
  const k = Math.min(heat.length - 2, Math.floor(at));
  const [a, b] = [rgbOf(heat[k]!), rgbOf(heat[k + 1]!)];
  const rgb = a.map((v, c) => Math.round(v + (b[c]! - v) * (at - k)));
  // Relative luminance; at 0.179 black and white contrast alike.
  const [r, g, bl] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * r! + 0.7152 * g! + 0.0722 * bl!;
  return { background: `rgb(${rgb.join(' ')})`, color: luminance > 0.179 ? '#000' : '#fff' };
}
