import { useEffect, useState } from 'react';
import { attempt, testImages } from '../../store/actions';
import { useStore } from '../../store/store';

export interface TestImages {
  readonly width: number;
  readonly height: number;
  readonly pixels: ReadonlyMap<number, Uint8ClampedArray>;
}

const NONE: TestImages = { width: 0, height: 0, pixels: new Map() };

/** Pixels of test images of the run's data set, as far as they have come; each is fetched once while the view is open. */
export function useTestImages(indices: readonly number[]): TestImages {
  const info = useStore((s) => (s.running ? s.loaded[s.running.dataset] : undefined));
  const [held, setHeld] = useState<{ of: typeof info; images: TestImages }>({ of: undefined, images: NONE });
  const images = held.of === info ? held.images : NONE;
  const missing = indices.filter((index) => !images.pixels.has(index));
  const key = missing.join();
  useEffect(() => {
    if (key === '') return;
    let current = true;
    const wanted = key.split(',').map(Number);
    attempt(
      testImages(wanted).then(({ width, height, images: got }) => {
        if (!current) return;
        setHeld((before) => ({
          of: info,
          images: {
            width,
            height,
            pixels: new Map([...(before.of === info ? before.images.pixels : []), ...got.map((p, i) => [wanted[i]!, p] as const)]),
          },
        }));
      }),
    );
    return () => {
      current = false;
    };
  }, [key, info]);
  return images;
}
