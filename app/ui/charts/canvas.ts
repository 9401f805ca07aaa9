/** Colours and lengths of the current theme as canvas needs them. */
export interface Palette {
  readonly surface0: string;
  readonly surface1: string;
  readonly text1: string;
  readonly text2: string;
  readonly text3: string;
  readonly line1: string;
  readonly line2: string;
  readonly accent: string;
  readonly danger: string;
  readonly head: string;
  readonly headFill: string;
  readonly tail: string;
  readonly tailFill: string;
  readonly epsilon: string;
  readonly target: string;
  readonly ghost: string;
  /** What rank regularization takes of a step. */
  readonly timeQ3r: string;
  readonly series1: string;
  /** Of styles 1 to 8, see `runStyle`. */
  readonly series: readonly string[];
  /** Nine stops from low to high. */
  readonly heat: readonly string[];
  readonly epsilonDash: readonly number[];
  readonly eventDash: readonly number[];
  readonly font: string;
  /** 1, or 1.35 on a projector. */
  readonly scale: number;
}

let current: Palette | undefined;
const listeners = new Set<() => void>();
let watching = false;

function read(): Palette {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const dash = (name: string) => get(name).split(/\s+/).map(Number).filter(Number.isFinite);
  return {
    surface0: get('surface-0'),
    surface1: get('surface-1'),
    text1: get('text-1'),
    text2: get('text-2'),
    text3: get('text-3'),
    line1: get('line-1'),
    line2: get('line-2'),
    accent: get('accent'),
    danger: get('danger'),
    head: get('sigma-head'),
    headFill: get('sigma-head-fill'),
    tail: get('sigma-tail'),
    tailFill: get('sigma-tail-fill'),
    epsilon: get('epsilon'),
    target: get('target'),
    ghost: get('ghost'),
    timeQ3r: get('time-q3r'),
    series1: get('series-1'),
    series: Array.from({ length: 8 }, (_, i) => get(`series-${i + 1}`)),
    heat: Array.from({ length: 9 }, (_, i) => get(`heat-${i}`)),
    epsilonDash: dash('dash-epsilon'),
    eventDash: dash('dash-event'),
    font: get('font-ui') || 'sans-serif',
    scale: Number.parseFloat(get('scale')) || 1,
  };
}

function changed(): void {
  const before = JSON.stringify(current);
  current = read();
  if (JSON.stringify(current) !== before) for (const listener of listeners) listener();
}

/** The palette, read from the style sheet once per theme. */
export function palette(): Palette {
  return (current ??= read());
}

/** Calls `listener` when the theme, the system's preference or the projector type changes. Returns the end of it. */
export function watchPalette(listener: () => void): () => void {
  if (!watching) {
    watching = true;
    new MutationObserver(changed).observe(document.documentElement, {
      attributes: true,
      attributeFilter: ['data-theme', 'data-projector', 'class', 'style'],
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
    // Style sheets may arrive after the first paint.
    addEventListener('load', changed);
  }
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export type Context = CanvasRenderingContext2D;

/** A context that has paths of its own kind, as one that writes SVG does. */
export interface PathMaker {
  newPath(): Path2D;
}
/** An empty path for a context. */
export const newPath = (g?: Context): Path2D => (g && 'newPath' in g ? (g as Context & PathMaker).newPath() : new Path2D());

/**
 * Sizes the backing store to the element in device pixels, clears it and sets CSS pixels as the unit.
 * Returns null when there is nothing to see, so that the caller spends nothing.
 */
export function prepare(canvas: HTMLCanvasElement): { g: Context; width: number; height: number } | null {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const g = width && height ? canvas.getContext('2d') : null;
  if (!g) return null;
  const ratio = Math.max(1, devicePixelRatio || 1);
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.lineJoin = 'round';
  return { g, width, height };
}

/** Centre of the pixel nearest to v, where a 1 px line is sharp. */
export const crisp = (v: number): number => Math.round(v) + 0.5;

export interface TextStyle {
  color?: string;
  size?: number;
  weight?: 400 | 600;
  align?: CanvasTextAlign;
  baseline?: CanvasTextBaseline;
  /** Colour behind the letters, where they cross lines. */
  halo?: string;
}

export function text(g: Context, p: Palette, value: string, x: number, y: number, style: TextStyle = {}): void {
  g.font = `${style.weight ?? 400} ${(style.size ?? 11) * p.scale}px ${p.font}`;
  g.textAlign = style.align ?? 'left';
  g.textBaseline = style.baseline ?? 'alphabetic';
  if (style.halo) {
    g.setLineDash([]);
    g.lineWidth = 3;
    g.strokeStyle = style.halo;
    g.strokeText(value, x, y);
  }
  g.fillStyle = style.color ?? p.text3;
  g.fillText(value, x, y);
}

export function line(
  g: Context,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  color: string,
  width = 1,
  dash: readonly number[] = [],
): void {
  g.beginPath();
  g.setLineDash(dash as number[]);
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.strokeStyle = color;
  g.lineWidth = width;
  g.stroke();
  if (dash.length) g.setLineDash([]);
}

/** The mark of an event: a small filled diamond. */
export function diamond(g: Context, x: number, y: number, color: string, radius = 4): void {
  g.fillStyle = color;
  g.beginPath();
  g.moveTo(x, y - radius);
  g.lineTo(x + radius, y);
  g.lineTo(x, y + radius);
  g.lineTo(x - radius, y);
  g.fill();
}

/** Colour table of `size` RGBA entries along the heat ramp. */
export function heatTable(p: Palette, size = 256): Uint32Array {
  const stops = p.heat.map((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as [number, number, number]);
  const out = new Uint32Array(size);
  const bytes = new Uint8ClampedArray(out.buffer);
  for (let i = 0; i < size; i++) {
    const at = (i / (size - 1)) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(at));
    const a = stops[k]!;
    const b = stops[k + 1]!;
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = a[c]! + (b[c]! - a[c]!) * (at - k);
    bytes[4 * i + 3] = 255;
  }
  return out;
}
