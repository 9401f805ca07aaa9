/** Colour of a place on the ramp, and black or white, whichever reads better on it. `t` from 0 to 1. */
export function heatColour(stops: readonly string[], t: number): { background: string; color: string } {
  const at = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  const channel = (hex: string, c: number): number => Number.parseInt(hex.slice(1 + 2 * c, 3 + 2 * c), 16);
  const rgb = [0, 1, 2].map((c) => {
    const [from, to] = [channel(stops[k]!, c), channel(stops[k + 1]!, c)];
    return Math.round(from + (to - from) * (at - k));
  });
  const linear = rgb.map((v) => {
    const s = v / 255;
    return s <= 0.04 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  // Contrast with white and with black is equal at 0.179.
  return { background: `rgb(${rgb.join(' ')})`, color: luminance > 0.179 ? '#000000' : '#ffffff' };
}
