/** Channels of a colour `#rrggbb`, 0 to 255. */
export const rgbOf = (hex: string): [number, number, number] =>
  [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as [number, number, number];

/** Colour of a share in [0, 1] on the heat ramp: red, green and blue, 0 to 255. */
export function heatRgb(heat: readonly string[], share: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, share)) * (heat.length - 1);
  const k = Math.min(heat.length - 2, Math.floor(at));
  const [a, b] = [rgbOf(heat[k]!), rgbOf(heat[k + 1]!)];
  return a.map((v, c) => Math.round(v + (b[c]! - v) * (at - k))) as [number, number, number];
}

/** The same as a style, with black or white, whichever can be read on it. */
export function heatColour(heat: readonly string[], share: number): { background: string; color: string } {
  const rgb = heatRgb(heat, share);
  // Relative luminance; at 0.179 black and white contrast alike.
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  return { background: `rgb(${rgb.join(' ')})`, color: luminance > 0.179 ? '#000' : '#fff' };
}
