import { useCallback } from 'react';
import { useCanvas, type Draw } from '../charts/useCanvas';
import type { AttentionMap } from './attention';
import { paintLit } from './paint';

interface LitPictureProps {
  readonly picture: HTMLCanvasElement;
  readonly map: AttentionMap;
  readonly largest: number | undefined;
  readonly label: string;
}

/** A picture lit by one map. */
export function LitPicture({ picture, map, largest, label }: LitPictureProps) {
  const draw = useCallback<Draw>(
    (g, width, _height, { surface0 }) =>
      paintLit(g, picture, map.patches, { x: 0, y: 0, size: width, largest: largest ?? map.largest, surface: surface0 }),
    [picture, map, largest],
  );
  return <canvas ref={useCanvas(draw)} className="see-picture" role="img" aria-label={label} />;
}
