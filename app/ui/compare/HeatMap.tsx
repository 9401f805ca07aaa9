import { useMemo, useRef, type CSSProperties, type KeyboardEvent } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { attempt } from '../../store/actions';
import { axisName, nameCell, valueName, type GridDefinition } from '../../store/compare/grid/definition';
import { selectPlace, setMetric, setShare } from '../../store/compare/grid/grid';
import { useGrid } from '../../store/compare/grid/gridStore';
import type { GridMetric } from '../../store/compare/grid/cellFigures';
import { DataTable } from '../charts/DataTable';
import { usePalette } from '../charts/useCanvas';
import { METRICS, metricText, metricWords, placesOf, rangeOf, type Place } from './gridView';
import { heatColour } from '../charts/heatColour';

/** One figure of every run by its two settings: outlines are still to run, a bar is under way. */
export function HeatMap({ definition }: { definition: GridDefinition }) {
  const { results, metric, share, current, selected } = useGrid(
    useShallow((s) => ({ results: s.results, metric: s.metric, share: s.share, current: s.current, selected: s.selected })),
  );
  const palette = usePalette();
  const root = useRef<HTMLDivElement>(null);
  const places = useMemo(() => placesOf(definition, results, metric, share), [definition, results, metric, share]);
  const [low, high] = rangeOf(places);
  const { x, y } = definition;
  const columns = x.values.length;
  const rows = y.values.length;
  const view = METRICS.find((m) => m.value === metric)!;
  const select = (column: number, row: number, focus = false) => {
    attempt(selectPlace(column, row));
    if (focus) root.current?.querySelector<HTMLElement>(`[data-place="${column},${row}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const from = (event.target as HTMLElement).dataset.place?.split(',').map(Number);
    if (!by || !from || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    select(Math.min(columns - 1, Math.max(0, from[0]! + by[0]!)), Math.min(rows - 1, Math.max(0, from[1]! + by[1]!)), true);
  };
  const stop = selected ?? { x: 0, y: rows - 1 };
  return (
    <section className="grid-sec" aria-labelledby="grid-map">
      <div className="chart-head">
        <h2 id="grid-map">
          {view.title}
          {metric === 'atShare' && <small>{Math.round(share * 100)}&#x2009;% kept</small>}
        </h2>
        <span className="chart-grow" />
        {metric === 'atShare' && (
          <input
            type="range"
            className="grid-share"
            aria-label="Share of the parameters kept"
            min={1}
            max={100}
            value={Math.round(share * 100)}
            aria-valuetext={`${Math.round(share * 100)} per cent`}
            style={{ '--p': share } as CSSProperties}
            onChange={(event) => setShare(Number(event.currentTarget.value) / 100)}
          />
        )}
        <select
          className="chart-menu"
          aria-label="Figure"
          value={metric}
          onChange={(event) => setMetric(event.currentTarget.value as GridMetric)}
        >
          {METRICS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <DataTable title={view.title} caption={`${places.length} places`} rows={() => table(definition, places, metric)} />
      </div>
      <div
        ref={root}
        className="heat"
        role="group"
        aria-label={`${view.title}, ${axisName(y.path) || 'technique'} by ${axisName(x.path) || 'technique'}; arrow keys move`}
        style={{ '--columns': columns, '--rows': rows } as CSSProperties}
        onKeyDown={onKeyDown}
      >
        {Array.from({ length: rows }, (_, r) => rows - 1 - r).map((row, r) => [
          <span key={`y${row}`} className="ax" aria-hidden="true">
            {r === 0 && axisName(y.path)} {valueName(y.path, y.values[row]!)}
          </span>,
          ...places
            .filter((place) => place.y === row)
            .map((place) => {
              const here = current !== null && place.cells.some((cell) => cell.index === current.index);
              const known = Number.isFinite(place.value);
              const t = high > low ? (place.value - low) / (high - low) : 0.5;
              const chosen = selected?.x === place.x && selected.y === row;
              const state = here ? 'run' : known ? 'done' : place.failed > 0 ? 'failed' : place.done > 0 ? 'blank' : 'queued';
              const words = {
                run: `running, ${Math.round(100 * (current?.share ?? 0))} per cent`,
                done: metricWords(place.value, metric),
                failed: 'failed',
                blank: 'done, without this figure',
                queued: 'still to run',
              }[state];
              return (
                <button
                  key={`${place.x},${row}`}
                  type="button"
                  data-place={`${place.x},${row}`}
                  data-state={state}
                  data-front={place.onFront || undefined}
                  aria-pressed={chosen}
                  aria-label={`${nameCell(definition, place.x, row)}: ${words}${place.onFront ? ', on the front' : ''}`}
                  tabIndex={stop.x === place.x && stop.y === row ? 0 : -1}
                  style={{
                    ...(known && !here && heatColour(palette.heat, t)),
                    ...(here && ({ '--p': current?.share ?? 0 } as CSSProperties)),
                  }}
                  onClick={() => select(place.x, row)}
                >
                  {here
                    ? `${Math.round(100 * (current?.share ?? 0))}\u2009%`
                    : known
                      ? metricText(place.value, metric)
                      : state === 'failed'
                        ? 'failed'
                        : state === 'blank'
                          ? '–'
                          : ''}
                </button>
              );
            }),
        ])}
        <span className="ax" />
        {x.values.map((value, i) => (
          <span key={i} className="ax x" aria-hidden="true">
            {i === 0 && axisName(x.path)} {valueName(x.path, value)}
          </span>
        ))}
      </div>
      <div className="ramp">
        <span>{metricText(low, metric)}</span>
        <i aria-hidden="true">
          {palette.heat.map((colour) => (
            <b key={colour} style={{ background: colour }} />
          ))}
        </i>
        <span>
          {metricText(high, metric)}
          {view.share ? '\u2009%' : ''}
        </span>
        <span className="chart-grow" />
        <span className="hide-m">dot: on the front, empty: still to run</span>
      </div>
    </section>
  );
}

function table(definition: GridDefinition, places: readonly Place[], metric: GridMetric) {
  const { x, y } = definition;
  return {
    head: [axisName(y.path) || 'Technique', ...x.values.map((value) => `${axisName(x.path)} ${valueName(x.path, value)}`.trim())],
    body: y.values.map((value, row) => [
      valueName(y.path, value),
      ...places.filter((place) => place.y === row).map((place) => (Number.isFinite(place.value) ? metricText(place.value, metric) : '')),
    ]),
  };
}
