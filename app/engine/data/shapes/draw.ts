/**
 * Signed distances of the ten shapes, in the order of the classes, each about as large as the unit circle. Positive
 * outside. Exact on straight and round edges, a lower bound elsewhere: good enough for a one-pixel edge.
 * No trigonometry: square roots are rounded the same everywhere, sines are not, and every browser must draw the same bytes.
 */
export type Distance = (x: number, y: number) => number;

// Unit normals of a regular pentagon's sides, one side at the bottom, tip up (y grows downwards): sin and cos of 72° k.
const C72 = 0.30901699437494745;
const S72 = 0.9510565162951535;
const C36 = 0.8090169943749475;
const S36 = 0.5877852522924731;

const hypot = (x: number, y: number): number => Math.sqrt(x * x + y * y);

function circle(x: number, y: number): number {
  return hypot(x, y) - 0.88;
}
function square(x: number, y: number): number {
  return Math.max(Math.abs(x), Math.abs(y)) - 0.78;
}
function triangle(x: number, y: number): number {
  // Three half-planes at the apothem, half the outer radius of 1.12.
  return Math.max(y, Math.abs(x) * 0.8660254037844386 - y * 0.5) - 0.56;
}
function pentagon(x: number, y: number): number {
  const ax = Math.abs(x);
  return Math.max(y, ax * S72 + y * C72, ax * S36 - y * C36) - 0.8;
}
function star(x: number, y: number): number {
  // A point is inside a pentagram when it is outside at most one of the pentagon's five half-planes: the second largest
  // of their distances decides.
  let first = y;
  let second = -2;
  for (let k = 0; k < 4; k++) {
    const d = k === 0 ? x * S72 + y * C72 : k === 1 ? -x * S72 + y * C72 : k === 2 ? x * S36 - y * C36 : -x * S36 - y * C36;
    if (d > first) {
      second = first;
      first = d;
    } else if (d > second) second = d;
  }
  return second - 0.35;
}
function cross(x: number, y: number): number {
  const ax = Math.abs(x);
  const ay = Math.abs(y);
  return Math.min(Math.max(ax - 0.95, ay - 0.31), Math.max(ax - 0.31, ay - 0.95));
}
function ring(x: number, y: number): number {
  return Math.abs(hypot(x, y) - 0.7) - 0.22;
}
function crescent(x: number, y: number): number {
  return Math.max(hypot(x, y) - 0.95, 0.78 - hypot(x - 0.46, y));
}
function heart(x: number, y: number): number {
  // A square on its corner with half a disc on each upper side.
  const u = (x - y + 0.08) * Math.SQRT1_2;
  const w = (-x - y + 0.08) * Math.SQRT1_2;
  const box = Math.max(Math.abs(u), Math.abs(w));
  return Math.min(box, hypot(u - 0.54, w), hypot(u, w - 0.54)) - 0.54;
}
function arrow(x: number, y: number): number {
  const ay = Math.abs(y);
  const shaft = Math.max(Math.abs(x + 0.43) - 0.57, ay - 0.24);
  // Head from x = 0 to its tip at 1, half as high as long at its base, slope 0.8.
  const head = Math.max(-x, (ay + 0.8 * x - 0.8) * 0.7808688094430304);
  return Math.min(shaft, head);
}

export const SHAPES: readonly Distance[] = [circle, square, triangle, pentagon, star, cross, ring, crescent, heart, arrow];

/** mulberry32: small, fast, and the same in every browser. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 0;
  }
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** [lo, hi). */
  between(lo: number, hi: number): number {
    return lo + (hi - lo) * (this.bits() * 2 ** -32);
  }
  /** 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.bits() * 2 ** -32 * n);
  }
  chance(p: number): boolean {
    return this.bits() * 2 ** -32 < p;
  }
}

/** A seed for each image: avalanche of a set's seed and an index. */
export function seedOf(seed: number, index: number): number {
  let h = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + index) | 0;
  for (let i = 0; i < 2; i++) {
    h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
    h ^= h >>> 15;
  }
  return h;
}
