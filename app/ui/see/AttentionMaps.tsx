import { useCallback, useRef, type KeyboardEvent } from 'react';
import { crisp, line, text } from '../charts/canvas';
import { formatPercent } from '../charts/format';
import { useCanvas, type Draw } from '../charts/useCanvas';
import type { AttentionMap } from './attention';
import { paintLit } from './paint';

/** A layer and a column: a head, and past the last of them their mean and the rollout. */
export interface MapPlace {
  readonly layer: number;
  readonly column: number;
}

interface AttentionMapsProps {
  readonly title: string;
  readonly maps: readonly (readonly AttentionMap[])[];
  /** Columns that are heads. */
  readonly heads: number;
  readonly picture: HTMLCanvasElement;
  /** At which a patch is fully lit; each map's own where absent. */
  readonly largest: number | undefined;
  readonly selected: MapPlace;
  readonly onSelect: (place: MapPlace) => void;
}

const GUTTER = 24;
const TOP = 18;
const GAP = 4;

export const columnName = (column: number, heads: number): string =>
  column < heads ? `Head ${column}` : column === heads ? 'Mean' : 'Rollout';

/** A map for each layer and head, their mean, and the rollout. The picture is one canvas; the buttons over it are one tab stop, arrow keys move. */
export function AttentionMaps({ title, maps, heads, picture, largest, selected, onSelect }: AttentionMapsProps) {
  const root = useRef<HTMLDivElement>(null);
  const columns = maps[0]?.length ?? 1;
  const draw = useCallback<Draw>(
    (g, width, _height, palette) => {
      const gutter = GUTTER * palette.scale;
      const top = TOP * palette.scale;
      const pitch = (width - gutter) / columns;
      const size = Math.max(1, Math.floor(pitch - GAP));
      const short = pitch < 44 * palette.scale;
      for (let c = 0; c < columns; c++) {
        const bold = c === selected.column;
        const name =
          c < heads && short
            ? String(c)
            : columnName(c, heads)
                .toLowerCase()
                .slice(0, short ? 4 : undefined);
        text(g, palette, name, gutter + c * pitch + size / 2, top - 6, {
          align: 'center',
          weight: bold ? 600 : 400,
          color: bold ? palette.text1 : palette.text3,
        });
      }
      maps.forEach((row, l) => {
        const y = top + l * pitch;
        const bold = l === selected.layer;
        text(g, palette, String(l), gutter - 8, y + size / 2 + 4, {
          align: 'right',
          weight: bold ? 600 : 400,
          color: bold ? palette.text1 : palette.text3,
        });
        row.forEach((map, c) =>
          paintLit(g, picture, map.patches, { x: gutter + c * pitch, y, size, largest: largest ?? map.largest, surface: palette.surface0 }),
        );
      });
      const edge = crisp(gutter + heads * pitch - GAP / 2 - 1);
      line(g, edge, top, edge, top + maps.length * pitch - GAP, palette.line2);
    },
    [maps, picture, largest, selected, columns, heads],
  );
  const canvas = useCanvas(draw);
  const onKeyDown = (event: KeyboardEvent) => {
    const { layer, column } = selected;
    const next = {
      ArrowUp: [layer - 1, column],
      ArrowDown: [layer + 1, column],
      ArrowLeft: [layer, column - 1],
      ArrowRight: [layer, column + 1],
    }[event.key];
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const place = { layer: clamp(next[0]!, maps.length), column: clamp(next[1]!, columns) };
    onSelect(place);
    root.current?.querySelector<HTMLElement>(`[data-place="${place.layer},${place.column}"]`)?.focus();
  };
  return (
    <figure className="see-maps">
      <figcaption>{title}</figcaption>
      <div className="see-maps-body" style={{ aspectRatio: `${columns} / ${maps.length}` }}>
        <canvas ref={canvas} aria-hidden="true" />
        <div
          ref={root}
          role="grid"
          tabIndex={-1}
          aria-label={`${title}: attention over the image, a row for each layer, a column for each head; arrow keys move`}
          className="see-maps-cells"
          style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridTemplateRows: `repeat(${maps.length}, minmax(0, 1fr))` }}
          onKeyDown={onKeyDown}
        >
          {maps.map((row, layer) => (
            <div role="row" key={layer} className="see-maps-row">
              {row.map((map, column) => {
                const on = layer === selected.layer && column === selected.column;
                return (
                  <button
                    key={column}
                    type="button"
                    role="gridcell"
                    data-place={`${layer},${column}`}
                    aria-selected={on}
                    tabIndex={on ? 0 : -1}
                    aria-label={`Layer ${layer}, ${columnName(column, heads).toLowerCase()}: largest ${formatPercent(map.largest)}`}
                    onClick={() => onSelect({ layer, column })}
                  />
                );
              })}
            </div>
          ))}
        </div>
      </div>
    </figure>
  );
}

const clamp = (value: number, count: number): number => Math.min(count - 1, Math.max(0, value));
