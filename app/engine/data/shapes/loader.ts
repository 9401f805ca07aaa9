import { cancelled, type LoadOptions, type LoadedDataset, type Split } from '../types';
import { shapes } from './config';
import { SHAPES_SEED, generateShapes } from './generate';

/** Images drawn between two looks at the clock and at the cancel signal. */
const PART = 500;

/** The first test images alone, for previews: the same as those of the whole set. */
export function firstShapes(count: number): { config: typeof shapes; test: Split } {
  return { config: shapes, test: generateShapes({ count: Math.min(count, shapes.testCount), seed: SHAPES_SEED.test }) };
}

/** Draws the whole set; gives the thread back between parts, so that a cancel is heard. @throws DataError when cancelled */
export async function loadShapes({ signal, onProgress }: LoadOptions): Promise<LoadedDataset> {
  const totalImages = shapes.trainCount + shapes.testCount;
  let images = 0;
  const draw = async (count: number, seed: number): Promise<Split> => {
    const out: Split = { images: new Uint8Array(count * 3072), labels: new Uint8Array(count), count };
    for (let start = 0; start < count; start += PART) {
      const part = generateShapes({ count: Math.min(PART, count - start), seed, start });
      out.images.set(part.images, start * 3072);
      out.labels.set(part.labels, start);
      images += part.count;
      onProgress({ stage: 'Drawing shapes', bytes: 0, totalBytes: 0, bytesPerSecond: 0, images, totalImages });
      await new Promise((resolve) => setTimeout(resolve));
      if (signal.aborted) throw cancelled('shapes');
    }
    return out;
  };
  const test = await draw(shapes.testCount, SHAPES_SEED.test);
  const train = await draw(shapes.trainCount, SHAPES_SEED.train);
  return { config: shapes, train, test, origin: 'drawn', bytes: 0, cached: false, notices: [] };
}
