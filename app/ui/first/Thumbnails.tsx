import { useEffect, useRef } from 'react';
import type { DatasetName } from '../../protocol/experiment';
import { useStore, type Samples } from '../../store/store';
import { DATASET_CONFIGS } from '../datasets';

/** Images of a loaded data set, drawn pixel for pixel; nothing where none are at hand. */
export function Thumbnails({ name, max = 8 }: { name: DatasetName; max?: number }) {
  const samples = useStore((s) => s.samples[name]);
  const classes = useStore((s) => s.loaded[name]?.classes) ?? DATASET_CONFIGS[name].classes;
  if (!samples) return null;
  return (
    <div className="thumbs">
      {samples.images.slice(0, max).map((_, i) => (
        <Thumbnail key={i} samples={samples} index={i} title={classes[samples.labels[i] ?? -1] ?? ''} />
      ))}
    </div>
  );
}

/** One image with the name of its class. */
export function Thumbnail({ samples, index, title }: { samples: Samples; index: number; title: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const pixels = samples.images[index];
    const context = canvas.current?.getContext('2d');
    if (!pixels || !context) return;
    const image = context.createImageData(samples.width, samples.height);
    image.data.set(pixels);
    context.putImageData(image, 0, 0);
  }, [samples, index]);
  return <canvas ref={canvas} width={samples.width} height={samples.height} role="img" aria-label={title} title={title} />;
}
