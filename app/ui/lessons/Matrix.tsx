import { useEffect, useRef } from 'react';

interface MatrixProps {
  /** Row-major, 0 black to 1 white; what lies outside is held at the ends. */
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
  readonly label: string;
}

/** A matrix as a grey picture, a pixel a number. */
export function Matrix({ data, rows, cols, label }: MatrixProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const g = canvas.current?.getContext('2d');
    if (!g) return;
    const image = g.createImageData(cols, rows);
    for (let i = 0; i < data.length; i++) {
      const v = 255 * data[i]!;
      image.data[4 * i] = v;
      image.data[4 * i + 1] = v;
      image.data[4 * i + 2] = v;
      image.data[4 * i + 3] = 255;
    }
    g.putImageData(image, 0, 0);
  }, [data, rows, cols]);
  return <canvas ref={canvas} className="lesson-matrix" width={cols} height={rows} role="img" aria-label={label} />;
}
