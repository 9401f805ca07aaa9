import { useEffect, useRef } from 'react';

interface PictureProps {
  readonly pixels: Uint8ClampedArray | undefined;
  readonly width: number;
  readonly height: number;
  /** Empty where the words beside it say it. */
  readonly label: string;
  readonly className?: string;
}

/** An image pixel for pixel; a grey square until it is there. */
export function Picture({ pixels, width, height, label, className = 'see-picture' }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!pixels || !context) return;
    const image = context.createImageData(width, height);
    image.data.set(pixels);
    context.putImageData(image, 0, 0);
  }, [pixels, width, height]);
  const named = label ? ({ role: 'img', 'aria-label': label } as const) : ({ 'aria-hidden': true } as const);
  return <canvas ref={canvas} className={className} width={width || 1} height={height || 1} {...named} />;
}
