import { dimensionsOf } from './size';

/** Pixels of one image, as its header or the decoder says; beyond it a few kilobytes could ask for gigabytes. */
const MAX_PIXELS = 100e6;
export const MAX_FILE = 64 << 20;

/** Enough for the headers of photos with large thumbnails in front. */
const HEAD = 256 << 10;

/** Shorter side of an image. @throws Error where it is none that can be used */
export async function shorterSide(blob: Blob): Promise<number> {
  const known = dimensionsOf(new Uint8Array(await blob.slice(0, HEAD).arrayBuffer()));
  if (known) return Math.min(known.width, known.height);
  const bitmap = await createImageBitmap(blob);
  const side = Math.min(bitmap.width, bitmap.height);
  bitmap.close();
  return side;
}

/** Brings images of any format that the browser reads to squares of one size. */
export class SquareDecoder {
  private readonly context: OffscreenCanvasRenderingContext2D;

  constructor(private readonly side: number) {
    const context = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true, alpha: false });
    if (!context) throw new Error('this browser cannot draw images in a worker');
    this.context = context;
    context.imageSmoothingQuality = 'high';
  }

  /**
   * Scales an image so that its shorter side fits and cuts its centre out; what is transparent becomes white. Writes three planes at
   * `offset`. @throws Error where it is no image that can be used; nothing is written then
   */
  async decode(blob: Blob, out: Uint8Array, offset: () => number): Promise<void> {
    const { side, context } = this;
    if (blob.size > MAX_FILE) throw new Error('the file is too large');
    const known = dimensionsOf(new Uint8Array(await blob.slice(0, HEAD).arrayBuffer()));
    if (known && known.width * known.height > MAX_PIXELS) throw new Error(`it has ${known.width} × ${known.height} pixels`);
    const bitmap = await createImageBitmap(blob);
    try {
      const { width, height } = bitmap;
      if (width < 1 || height < 1 || width * height > MAX_PIXELS) throw new Error(`it has ${width} × ${height} pixels`);
      const crop = Math.min(width, height);
      context.fillStyle = '#fff';
      context.fillRect(0, 0, side, side);
      context.imageSmoothingEnabled = crop !== side;
      context.drawImage(bitmap, Math.floor((width - crop) / 2), Math.floor((height - crop) / 2), crop, crop, 0, 0, side, side);
    } finally {
      bitmap.close();
    }
    // From here on nothing is awaited, so that images that are decoded at the same time do not meet on the canvas.
    const { data } = context.getImageData(0, 0, side, side);
    const plane = side * side;
    const at = offset();
    for (let p = 0; p < plane; p++) for (let c = 0; c < 3; c++) out[at + c * plane + p] = data[4 * p + c] as number;
  }
}
