import { Random, SHAPES, seedOf, type Distance } from './draw';
import { shapes } from './config';

const SIZE = shapes.imageSize;
const PLANE = SIZE * SIZE;

/** Seeds of the two splits: their images are drawn independently from one distribution. */
export const SHAPES_SEED = { train: 1, test: 2 } as const;

type Color = readonly [number, number, number];
const PALETTE: readonly Color[] = [
  [27, 38, 79],
  [58, 32, 92],
  [122, 40, 108],
  [24, 96, 112],
  [20, 140, 132],
  [44, 88, 196],
  [92, 160, 232],
  [128, 208, 208],
  [40, 112, 72],
  [124, 184, 84],
  [200, 216, 112],
  [250, 204, 80],
  [242, 146, 60],
  [236, 96, 84],
  [216, 64, 120],
  [248, 176, 176],
  [250, 240, 220],
  [220, 196, 156],
  [120, 76, 52],
  [92, 108, 132],
];
/**
 * Palette entries that a class likes, in the order of the classes: hearts are often rosy, stars golden. A hint and no more:
 * other classes wear them, too, and four images of ten follow no liking.
 */
const LIKED: readonly number[] = [12, 5, 9, 10, 11, 16, 7, 17, 14, 6];
const LIKING = 0.75;

/** Least weighted distance of the shape's colour from the background's, before contrast is lowered. */
const APART = 110;

/** Scratch of one image, in [0, 255] per channel; reused, so drawing allocates next to nothing. */
const red = new Float32Array(PLANE);
const green = new Float32Array(PLANE);
const blue = new Float32Array(PLANE);

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;
const blend = (a: Color, b: Color, t: number): Color => [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)];
const apart = (a: Color, b: Color): number => {
  const [r, g, bl] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  // Eyes, and the thumbnails they look at, weigh green most and blue least.
  return Math.sqrt(0.9 * r * r + 1.6 * g * g + 0.5 * bl * bl);
};
const lightness = (c: Color): number => 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2];
const pick = (rng: Random, from: number = rng.below(PALETTE.length)): Color => {
  const c = PALETTE[from]!;
  const shade = rng.between(-14, 14);
  return [c[0] + shade + rng.between(-8, 8), c[1] + shade + rng.between(-8, 8), c[2] + shade + rng.between(-8, 8)];
};
/** A colour far from another, and darker than it if asked; the last one tried where the palette has few. */
const pickAgainst = (rng: Random, other: Color, darker: boolean): Color => {
  let color = pick(rng);
  for (let tries = 0; tries < 16 && (apart(color, other) < APART || (darker && lightness(color) > lightness(other))); tries++)
    color = pick(rng);
  return color;
};

/** A direction, uniform on the circle, without trigonometry. */
function direction(rng: Random): [number, number] {
  for (;;) {
    const x = rng.between(-1, 1);
    const y = rng.between(-1, 1);
    const square = x * x + y * y;
    if (square > 1 || square < 1e-3) continue;
    const scale = 1 / Math.sqrt(square);
    return [x * scale, y * scale];
  }
}

/** A direction within 22 degrees of the x axis. */
function tilt(rng: Random): [number, number] {
  const slope = rng.between(-0.4, 0.4);
  const scale = 1 / Math.sqrt(1 + slope * slope);
  return [scale, slope * scale];
}

/** Triangle wave of period 1 between −1 and 1. */
const wave = (t: number): number => 4 * Math.abs(t - Math.floor(t) - 0.5) - 1;

function background(rng: Random, base: Color): void {
  const far = blend(base, pick(rng), rng.between(0.1, 0.45));
  const [gx, gy] = direction(rng);
  const [tx, ty] = direction(rng);
  const texture = rng.below(4);
  const amplitude = texture === 0 ? 0 : rng.between(5, 26);
  const frequency = rng.between(0.08, 0.28);
  const phase = rng.between(0, 1);
  // Both coordinates of the texture and the gradient advance by constants along a row.
  const [ax, ay] = [tx * frequency, ty * frequency];
  const slope = 0.42 / 15.5;
  for (let y = 0, i = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++, i++) {
      const t = 0.5 + slope * ((x - 15.5) * gx + (y - 15.5) * gy);
      let lift = 0;
      if (texture !== 0) {
        const along = wave(x * ax + y * ay + phase);
        // Stripes, a soft weave, or dots.
        if (texture === 1) lift = amplitude * along;
        else {
          const across = wave(x * ay - y * ax);
          lift = amplitude * (texture === 2 ? 0.5 * (along + across) : along * across);
        }
      }
      red[i] = base[0] + (far[0] - base[0]) * t + lift;
      green[i] = base[1] + (far[1] - base[1]) * t + lift;
      blue[i] = base[2] + (far[2] - base[2]) * t + lift;
    }
  }
}

interface Figure {
  readonly distance: Distance;
  readonly x: number;
  readonly y: number;
  /** Radius in pixels. */
  readonly radius: number;
  readonly turn: readonly [number, number];
  /** Width over height, before turning. */
  readonly stretch: number;
  readonly fill: Color;
  /** Colour at the far side of a gradient. */
  readonly fill2: Color;
  /** Width of the rim in pixels, 0 for none. */
  readonly rim: number;
  readonly rimColor: Color;
  readonly opacity: number;
}

function paint(f: Figure): void {
  // The farthest points are the tips of a stretched star, at 1.13 · 1.16.
  const reach = f.radius * 1.32 + 1;
  const x0 = Math.max(0, Math.floor(f.x - reach));
  const x1 = Math.min(SIZE - 1, Math.ceil(f.x + reach));
  const y0 = Math.max(0, Math.floor(f.y - reach));
  const y1 = Math.min(SIZE - 1, Math.ceil(f.y + reach));
  const [c, s] = f.turn;
  const sx = 1 / (f.radius * f.stretch);
  const sy = f.stretch / f.radius;
  const { distance, radius, rim, opacity, fill, fill2, rimColor } = f;
  for (let py = y0; py <= y1; py++) {
    for (let px = x0; px <= x1; px++) {
      const dx = px - f.x;
      const dy = py - f.y;
      const lx = (dx * c + dy * s) * sx;
      const ly = (dy * c - dx * s) * sy;
      const d = distance(lx, ly) * radius;
      if (d >= 0.5) continue;
      const cover = opacity * (d <= -0.5 ? 1 : 0.5 - d);
      const t = ly <= -1 ? 0 : ly >= 1 ? 1 : 0.5 + 0.5 * ly;
      let r = mix(fill[0], fill2[0], t);
      let g = mix(fill[1], fill2[1], t);
      let b = mix(fill[2], fill2[2], t);
      if (rim > 0 && d > -rim - 0.5) {
        const edge = Math.min(1, d + rim + 0.5);
        r = mix(r, rimColor[0], edge);
        g = mix(g, rimColor[1], edge);
        b = mix(b, rimColor[2], edge);
      }
      const i = py * SIZE + px;
      red[i] = mix(red[i]!, r, cover);
      green[i] = mix(green[i]!, g, cover);
      blue[i] = mix(blue[i]!, b, cover);
    }
  }
}

/** A straight stroke with round ends. */
function stroke(
  x: number,
  y: number,
  [dx, dy]: readonly [number, number],
  half: number,
  width: number,
  color: Color,
  opacity: number,
): void {
  const reach = half + width + 1;
  const x0 = Math.max(0, Math.floor(x - reach));
  const x1 = Math.min(SIZE - 1, Math.ceil(x + reach));
  const y0 = Math.max(0, Math.floor(y - reach));
  const y1 = Math.min(SIZE - 1, Math.ceil(y + reach));
  for (let py = y0; py <= y1; py++) {
    for (let px = x0; px <= x1; px++) {
      const along = (px - x) * dx + (py - y) * dy;
      const across = (py - y) * dx - (px - x) * dy;
      const past = Math.max(0, Math.abs(along) - half);
      const d = Math.sqrt(past * past + across * across) - width;
      if (d >= 0.5) continue;
      const cover = opacity * (d <= -0.5 ? 1 : 0.5 - d);
      const i = py * SIZE + px;
      red[i] = mix(red[i]!, color[0], cover);
      green[i] = mix(green[i]!, color[1], cover);
      blue[i] = mix(blue[i]!, color[2], cover);
    }
  }
}

/** Small figures and strokes that mean nothing: the largest figure names the class. */
function clutter(rng: Random, count: number, base: Color): void {
  for (let k = 0; k < count; k++) {
    const color = blend(base, pick(rng), rng.between(0.35, 0.9));
    const x = rng.between(0, SIZE);
    const y = rng.between(0, SIZE);
    if (rng.chance(0.4)) {
      stroke(x, y, direction(rng), rng.between(1.5, 8), rng.between(0.3, 0.9), color, rng.between(0.5, 1));
      continue;
    }
    paint({
      distance: SHAPES[rng.below(SHAPES.length)]!,
      x,
      y,
      radius: rng.between(1.4, 3.4),
      turn: direction(rng),
      stretch: 1,
      fill: color,
      fill2: color,
      rim: 0,
      rimColor: color,
      opacity: rng.between(0.5, 1),
    });
  }
}

const clamped = (out: Uint8Array): Uint8ClampedArray => new Uint8ClampedArray(out.buffer, out.byteOffset, out.byteLength);

/** Draws image `index` of the set `seed` into `out` at byte `at`, planes [3, 32, 32]; returns its class. */
export function drawShape(seed: number, index: number, out: Uint8Array, at: number): number {
  const rng = new Random(seedOf(seed, index));
  // In turn: every class equally often, in the first images, too.
  const label = index % SHAPES.length;
  // Liked colours, mostly upright, light on dark and near the middle: that much can be learned at once, so that a curve
  // falls from the first hundreds of steps. The rest (any colour and turn, occluded, faint, off centre) takes long.
  const color = rng.chance(LIKING) ? pick(rng, LIKED[label]) : pick(rng);
  const base = pickAgainst(rng, color, rng.chance(0.75));
  background(rng, base);
  clutter(rng, rng.below(3), base);

  const radius = rng.between(8, 13);
  const room = 15.5 - 0.85 * radius;
  const x = 15.5 + room * 0.3 * (rng.between(-1, 1) + rng.between(-1, 1));
  const y = 15.5 + room * 0.3 * (rng.between(-1, 1) + rng.between(-1, 1));
  const contrast = rng.between(0.65, 1);
  const fill = blend(base, color, contrast);
  const rimmed = rng.chance(0.3);
  paint({
    distance: SHAPES[label]!,
    x,
    y,
    radius,
    turn: rng.chance(0.85) ? tilt(rng) : direction(rng),
    stretch: rng.between(0.86, 1.16),
    fill,
    fill2: rng.chance(0.5) ? blend(fill, pick(rng), rng.between(0.1, 0.35)) : fill,
    rim: rimmed ? rng.between(0.6, 1.5) : 0,
    rimColor: blend(fill, pick(rng), 0.7),
    opacity: 1,
  });

  // A bar across the shape, and strokes in front of it.
  if (rng.chance(0.35)) {
    const [dx, dy] = direction(rng);
    const aside = rng.between(-0.8, 0.8) * radius;
    const bar = rng.chance(0.5) ? blend(base, pick(rng), 0.3) : pick(rng);
    stroke(x - dy * aside, y + dx * aside, [dx, dy], rng.between(0.5, 1.6) * radius, rng.between(0.8, 0.22 * radius + 0.4), bar, 1);
  }
  clutter(rng, rng.below(3), base);

  const grain = rng.between(0, 1);
  const noise = 22 * grain * grain;
  const exposure = rng.between(-12, 12);
  const scale = noise / 127.5;
  const level = exposure - noise + 0.5;
  // xorshift32: as small integers, where a method call per pixel would box every draw.
  let word = rng.bits() | 1;
  const bytes = clamped(out);
  for (let i = 0; i < PLANE; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    // Three bytes of one draw, each centred: grain of its own in every channel.
    bytes[at + i] = (red[i]! + level + scale * (word & 255)) | 0;
    bytes[at + PLANE + i] = (green[i]! + level + scale * ((word >>> 8) & 255)) | 0;
    bytes[at + 2 * PLANE + i] = (blue[i]! + level + scale * ((word >>> 16) & 255)) | 0;
  }
  return label;
}

export interface ShapesOptions {
  readonly count: number;
  /** `SHAPES_SEED.train` or `.test`; any other makes another set. */
  readonly seed: number;
  /** Index of the first image; a set may be drawn in parts. */
  readonly start?: number;
}

/** Images [count, 3, 32, 32] as bytes, and their classes: a pure function of its options, the same in every browser. */
export function generateShapes({ count, seed, start = 0 }: ShapesOptions): {
  images: Uint8Array<ArrayBuffer>;
  labels: Uint8Array<ArrayBuffer>;
  count: number;
} {
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) labels[i] = drawShape(seed, start + i, images, i * 3 * PLANE);
  return { images, labels, count };
}
