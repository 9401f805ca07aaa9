/** Sides to which images are brought; all are multiples of 32, so that a patch that divides 32 divides them. */
export const SIDES = [32, 64, 96, 128, 224] as const;
export const MAX_CLASSES = 1000;
/** Bytes that the pixels of both splits may take, in memory and on the GPU. */
export const MAX_PIXEL_BYTES = 384e6;

/** Bytes of `count` images. */
export const pixelBytes = (count: number, side: number): number => count * 3 * side * side;

/**
 * The largest side that is no larger than the images (half of them may be smaller) and fits the memory; 32 at least. Null where even that
 * does not fit.
 */
export function chooseSide(count: number, shorterSides: readonly number[]): number | null {
  const sorted = [...shorterSides].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? SIDES[0];
  const fits = SIDES.filter((side) => pixelBytes(count, side) <= MAX_PIXEL_BYTES);
  return fits.filter((side) => side <= median).at(-1) ?? fits[0] ?? null;
}

export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

/**
 * Width and height as the first bytes of an image say, before anything is decoded: PNG, GIF, BMP, WebP and JPEG. Null for other formats
 * and where the header is not in `head`. A hint for choosing a size and refusing giants; the decoder has the last word.
 */
export function dimensionsOf(head: Uint8Array): Dimensions | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const text = (at: number, length: number) => String.fromCharCode(...head.subarray(at, at + length));
  if (head.length < 30) return null;
  if (text(1, 3) === 'PNG') return { width: view.getUint32(16), height: view.getUint32(20) };
  if (text(0, 4) === 'GIF8') return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (text(0, 2) === 'BM') return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
  if (text(0, 4) === 'RIFF' && text(8, 4) === 'WEBP') return webp(view, text(12, 4));
  return head[0] === 0xff && head[1] === 0xd8 ? jpeg(view) : null;
}

function webp(view: DataView, kind: string): Dimensions | null {
  const u24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (kind === 'VP8X') return { width: u24(24) + 1, height: u24(27) + 1 };
  if (kind === 'VP8 ') return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind !== 'VP8L') return null;
  const bits = view.getUint32(21, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** Walks the segments to the start of frame. */
function jpeg(view: DataView): Dimensions | null {
  for (let at = 2; at + 9 < view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    else at += 2 + view.getUint16(at + 2);
  }
  return null;
}
