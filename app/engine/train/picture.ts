import type { DatasetConfig } from '../data/config';
import { SquareDecoder } from '../data/folder/decode';
import { reasonOf } from '../data/types';

/** The visitor's picture at a data set's size and channels. */
export interface Picture {
  /** [channels, S, S], one byte a value. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inverted: boolean;
}

/**
 * Cuts the centre of a picture out and scales it to the size of the data set's images, as images dropped as a data set are. One
 * channel holds the luma of Rec. 601; there a picture is turned into its negative when `invert` says so, or, without it, when its border
 * is light and the data set's images are mostly dark, as ink on paper is for handwritten digits.
 * @throws RangeError for a file that is no image
 */
export async function readPicture(
  blob: Blob,
  { imageSize, channels, mean }: Pick<DatasetConfig, 'imageSize' | 'channels' | 'mean'>,
  invert?: boolean,
): Promise<Picture> {
  const plane = imageSize * imageSize;
  const colours = new Uint8Array(3 * plane);
  try {
    await new SquareDecoder(imageSize).decode(blob, colours, () => 0);
  } catch (error) {
    throw new RangeError(
      `The picture could not be read: ${reasonOf(error)}. Expected an image that this browser shows, such as PNG or JPEG.`,
      { cause: error },
    );
  }
  if (channels === 3) return { bytes: colours, inverted: false };
  if (channels !== 1) throw new RangeError(`Pictures have 1 or 3 channels; the images of this data set have ${channels}.`);
  const bytes = new Uint8Array(plane);
  for (let p = 0; p < plane; p++)
    bytes[p] = Math.round(0.299 * colours[p]! + 0.587 * colours[plane + p]! + 0.114 * colours[2 * plane + p]!);
  const inverted = invert ?? ((mean[0] ?? 0) < 0.5 && borderMean(bytes, imageSize) > 127.5);
  return { bytes: inverted ? bytes.map((v) => 255 - v) : bytes, inverted };
}

function borderMean(bytes: Uint8Array, side: number): number {
  let sum = 0;
  let count = 0;
  bytes.forEach((v, p) => {
    const [x, y] = [p % side, Math.floor(p / side)];
    if (x > 0 && y > 0 && x < side - 1 && y < side - 1) return;
    sum += v;
    count++;
  });
  return sum / count;
}
