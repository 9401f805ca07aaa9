/** How the curves of a run are told apart, with and without colour. 1 is the run on screen. */
export type Marker = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'ring' | 'triangle-down' | 'plus';

export interface RunStyle {
  /** Name of the colour token. */
  readonly colour: string;
  /** Lengths of stroke and gap; empty for a solid line. */
  readonly dash: readonly number[];
  readonly marker: Marker;
}

const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const MARKERS: readonly Marker[] = ['circle', 'square', 'triangle', 'diamond', 'cross', 'ring', 'triangle-down', 'plus'];

/** Styles 1 to 8, as in the tokens. */
export function runStyle(style: number): RunStyle {
  const i = (((style - 1) % 8) + 8) % 8;
  return { colour: `series-${i + 1}`, dash: DASHES[i % 4]!, marker: MARKERS[i]! };
}

/** Whether a marker is an outline. */
export const isOpen = (marker: Marker): boolean => marker === 'ring' || marker === 'cross' || marker === 'plus';

/** Corners of a marker's strokes, around a place, `r` pixels from it; `null` lifts the pen. A circle has none. */
export function markerCorners(marker: Marker, x: number, y: number, r: number): ([number, number] | null)[] {
  switch (marker) {
    case 'square':
      return [[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]]; // prettier-ignore
    case 'triangle':
      return [[x, y - 1.2 * r], [x + 1.1 * r, y + 0.9 * r], [x - 1.1 * r, y + 0.9 * r]]; // prettier-ignore
    case 'triangle-down':
      return [[x, y + 1.2 * r], [x + 1.1 * r, y - 0.9 * r], [x - 1.1 * r, y - 0.9 * r]]; // prettier-ignore
    case 'diamond':
      return [[x, y - 1.3 * r], [x + 1.3 * r, y], [x, y + 1.3 * r], [x - 1.3 * r, y]]; // prettier-ignore
    case 'cross':
      return [[x - r, y - r], [x + r, y + r], null, [x - r, y + r], [x + r, y - r]]; // prettier-ignore
    case 'plus':
      return [[x - 1.2 * r, y], [x + 1.2 * r, y], null, [x, y - 1.2 * r], [x, y + 1.2 * r]]; // prettier-ignore
    default:
      return [];
  }
}

/** The same as the text of an SVG path. */
export function markerPath(marker: Marker, x: number, y: number, r: number): string {
  if (marker === 'circle' || marker === 'ring') return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  let pen = 'M';
  let out = '';
  for (const corner of markerCorners(marker, x, y, r)) {
    if (!corner) pen = 'M';
    else {
      out += `${pen}${round(corner[0])} ${round(corner[1])}`;
      pen = 'L';
    }
  }
  return isOpen(marker) ? out : `${out}z`;
}
const round = (v: number): number => Math.round(v * 100) / 100;
