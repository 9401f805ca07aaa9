import { useRef, useState, type KeyboardEvent } from 'react';
import { shareAt, type ConfusionCells } from './Confusion';
import { heatColour } from '../charts/heatColour';

const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The matrix with a figure in every cell; a cell opens its images. One tab stop, arrow keys move. */
export function ConfusionTable(matrix: ConfusionCells) {
  const { cells, names, unit, heat, onCell } = matrix;
  const root = useRef<HTMLTableElement>(null);
  const [stop, setStop] = useState<readonly [number, number]>([0, 0]);
  const n = names.length;
  const [stopRow, stopColumn] = [Math.min(stop[0], n - 1), Math.min(stop[1], n - 1)];
  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = [Math.min(n - 1, Math.max(0, stopRow + move[0])), Math.min(n - 1, Math.max(0, stopColumn + move[1]))] as const;
    setStop(next);
    root.current?.querySelector<HTMLElement>(`[data-cell="${next.join()}"]`)?.focus();
  };
  return (
    <table ref={root} className="see-table" onKeyDown={onKeyDown}>
      <caption className="sr">Rows are classes, columns what their images were taken for; arrow keys move</caption>
      <thead>
        <tr>
          <td />
          {names.map((name, c) => (
            <th key={c} scope="col">
              <span>{name}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {names.map((name, r) => (
          <tr key={r}>
            <th scope="row">{name}</th>
            {names.map((_, c) => {
              const count = cells[r * n + c]!;
              const share = shareAt(matrix, r, c);
              const figure = count === 0 ? '' : unit === 'count' ? count : Math.round(100 * share);
              return (
                <td key={c}>
                  <button
                    type="button"
                    data-cell={`${r},${c}`}
                    tabIndex={r === stopRow && c === stopColumn ? 0 : -1}
                    style={heatColour(heat, share)}
                    aria-label={`${name} taken for ${names[c]}: ${count} images, ${Math.round(100 * share)} %`}
                    onFocus={() => setStop([r, c])}
                    onClick={() => onCell(r, c)}
                  >
                    {figure}
                  </button>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
