import { Random, type Svd } from './pictureParts';

/** A grey picture as a matrix, row-major, values in [0, 1]. */
export interface Grey {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
}

/** Longest side of a picture in the lesson: an exact decomposition of it takes a software adapter a second or two. */
export const MAX_SIDE = 96;

/** The drawn picture of the lesson: a lighthouse by the sea. */
export function scene(size = MAX_SIDE): Grey {
  const canvas = new OffscreenCanvas(size, size);
  const g = canvas.getContext('2d')!;
  const s = size / 96;
  g.scale(s, s);
  const grey = (v: number) => `rgb(${v} ${v} ${v})`;
  const sky = g.createLinearGradient(0, 0, 0, 62);
  sky.addColorStop(0, grey(110));
  sky.addColorStop(1, grey(235));
  g.fillStyle = sky;
  g.fillRect(0, 0, 96, 62);
  g.fillStyle = grey(250);
  g.beginPath();
  g.arc(22, 22, 9, 0, 7);
  g.fill();
  const sea = g.createLinearGradient(0, 62, 0, 96);
  sea.addColorStop(0, grey(150));
  sea.addColorStop(1, grey(70));
  g.fillStyle = sea;
  g.fillRect(0, 62, 96, 34);
  g.strokeStyle = grey(190);
  g.lineWidth = 1;
  for (let i = 0; i < 9; i++) {
    g.beginPath();
    const y = 66 + i * 3.3;
    for (let x = 0; x <= 96; x += 2) g.lineTo(x, y + 1.2 * Math.sin(x / (5 + i) + i * 1.7));
    g.stroke();
  }
  g.fillStyle = grey(60);
  g.beginPath();
  g.moveTo(42, 70);
  g.bezierCurveTo(52, 58, 84, 56, 97, 64);
  g.lineTo(97, 76);
  g.bezierCurveTo(80, 80, 60, 78, 42, 70);
  g.fill();
  g.fillStyle = grey(240);
  g.beginPath();
  g.moveTo(64, 62);
  g.lineTo(66, 30);
  g.lineTo(74, 30);
  g.lineTo(76, 62);
  g.fill();
  g.fillStyle = grey(40);
  for (const [y, w] of [
    [36, 9],
    [46, 10],
    [56, 11],
  ] as const)
    g.fillRect(70 - w / 2, y, w, 4);
  g.fillRect(65, 27, 10, 3);
  g.fillRect(67, 20, 6, 7);
  g.beginPath();
  g.moveTo(65.5, 20);
  g.lineTo(70, 14);
  g.lineTo(74.5, 20);
  g.fill();
  g.fillStyle = grey(255);
  g.fillRect(68.5, 21.5, 3, 4);
  return greyOf(g.getImageData(0, 0, size, size));
}

/** Luminance of an image. */
export function greyOf({ data, width, height }: ImageData): Grey {
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = (0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!) / 255;
  return { data: out, rows: height, cols: width };
}

/** A picture from a file, its longer side at most `MAX_SIDE` pixels. @throws Error where the browser cannot read it */
export async function greyFromFile(file: Blob & { name?: string }): Promise<Grey> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name ?? 'The file'} is no picture that this browser can read; expected PNG, JPEG, WebP or GIF.`);
  });
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(2, Math.round(bitmap.width * scale));
  const height = Math.max(2, Math.round(bitmap.height * scale));
  const g = new OffscreenCanvas(width, height).getContext('2d')!;
  g.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return greyOf(g.getImageData(0, 0, width, height));
}

/** Gaussian noise of this standard deviation on every pixel, the same each time. */
export function noisy({ data, rows, cols }: Grey, deviation: number): Grey {
  const rng = new Random(7);
  return { rows, cols, data: data.map((v) => v + deviation * rng.normal()) };
}

/** The sum of the first `rank` parts σ u vᵀ, row-major. */
export function recompose({ u, s, v }: Svd, rows: number, cols: number, rank: number): Float32Array {
  const out = new Float32Array(rows * cols);
  const k = s.length;
  for (let c = 0; c < Math.min(rank, k); c++)
    for (let i = 0; i < rows; i++) {
      const a = s[c]! * u[i * k + c]!;
      for (let j = 0; j < cols; j++) out[i * cols + j]! += a * v[j * k + c]!;
    }
  return out;
}

/** ‖A − B‖ / ‖A‖, Frobenius. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += a[i]! ** 2;
  }
  return norm > 0 ? Math.sqrt(difference / norm) : 0;
}

/** Relative error of the best approximation of each rank from 0 on, by the singular values alone. */
export function errorsByRank(s: ArrayLike<number>): number[] {
  const total = Array.from(s).reduce((a, x) => a + x * x, 0);
  const out = [1];
  let left = total;
  for (let i = 0; i < s.length; i++) {
    left = Math.max(0, left - s[i]! ** 2);
    out.push(total > 0 ? Math.sqrt(left / total) : 0);
  }
  return out;
}

/** Largest relative error among the first `count` singular values. */
export function worstError(exact: ArrayLike<number>, found: ArrayLike<number>, count: number): number {
  let worst = 0;
  for (let i = 0; i < Math.min(count, exact.length, found.length); i++)
    worst = Math.max(worst, Math.abs(found[i]! - exact[i]!) / Math.max(1e-9, exact[i]!));
  return worst;
}
/** Which of "within 1 %", "off by up to a tenth", "off by more" an error is. */
export const errorGuess = (error: number): 0 | 1 | 2 => (error <= 0.01 ? 0 : error <= 0.1 ? 1 : 2);
