import { useCallback, useMemo, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { formatPercent } from '../charts/format';
import { heatRgb } from '../charts/heatColour';
import { useCanvas, type Draw } from '../charts/useCanvas';
import { whole } from '../format';
import { shareAt, type ConfusionCells } from './Confusion';
import { pictureOf } from './paint';

/** A matrix of many classes as a picture. A cursor goes with the pointer or the arrow keys; a click or Enter opens the cell's images. */
export function ConfusionPlot(matrix: ConfusionCells) {
  const { cells, names, sums, heat, unit, onCell } = matrix;
  const n = names.length;
  const [at, setAt] = useState<readonly [number, number] | null>(null);
  // A pixel a cell, painted once: the cursor moves over ten thousand of them.
  const picture = useMemo(() => {
    const pixels = new Uint8ClampedArray(4 * n * n);
    cells.forEach((count, i) => {
      const images = sums[Math.floor(i / n)]!;
      pixels.set([...heatRgb(heat, images > 0 ? count / images : 0), 255], 4 * i);
    });
    return pictureOf(pixels, n, n);
  }, [cells, sums, heat, n]);
  const draw = useCallback<Draw>(
    (g, width, height, palette) => {
      const size = Math.min(width, height) / n;
      g.imageSmoothingEnabled = false;
      g.drawImage(picture, 0, 0, n * size, n * size);
      if (!at) return;
      g.strokeStyle = palette.accent;
      g.lineWidth = 2;
      g.strokeRect(at[1] * size - 1, at[0] * size - 1, size + 2, size + 2);
    },
    [picture, n, at],
  );
  const canvas = useCanvas(draw);
  const cellAt = (event: PointerEvent | React.MouseEvent): readonly [number, number] => {
    const box = event.currentTarget.getBoundingClientRect();
    const place = (offset: number, length: number) => Math.max(0, Math.min(n - 1, Math.floor((offset / length) * n)));
    return [place(event.clientY - box.top, box.height), place(event.clientX - box.left, box.width)];
  };
  const point = (next: readonly [number, number]) => setAt((now) => (now && now[0] === next[0] && now[1] === next[1] ? now : next));
  const onKeyDown = (event: KeyboardEvent) => {
    const [r, c] = at ?? [0, 0];
    const step = event.shiftKey ? 10 : 1;
    const next = { ArrowUp: [r - step, c], ArrowDown: [r + step, c], ArrowLeft: [r, c - step], ArrowRight: [r, c + step] }[event.key];
    if (next) setAt([Math.max(0, Math.min(n - 1, next[0]!)), Math.max(0, Math.min(n - 1, next[1]!))]);
    else if (at && (event.key === 'Enter' || event.key === ' ')) onCell(r, c);
    else return;
    event.preventDefault();
  };
  const count = at ? cells[at[0] * n + at[1]]! : 0;
  return (
    <>
      <p className="see-readout" aria-live="polite">
        {at ? (
          <>
            <b>{names[at[0]]}</b> taken for <b>{names[at[1]]}</b>: {whole(count)} of {whole(sums[at[0]]!)}
            {unit === 'share' && `, ${formatPercent(shareAt(matrix, at[0], at[1]))}`}
          </>
        ) : (
          'Point at a cell, or move with the arrow keys.'
        )}
      </p>
      <div
        className="see-plot"
        role="application"
        aria-label={`Confusion matrix of ${n} classes; arrow keys move, with Shift by ten, Enter shows the images`}
        tabIndex={0}
        onPointerMove={(event) => point(cellAt(event))}
        onFocus={() => setAt((before) => before ?? [0, 0])}
        onClick={(event) => onCell(...cellAt(event))}
        onKeyDown={onKeyDown}
      >
        <canvas ref={canvas} aria-hidden="true" />
      </div>
    </>
  );
}
