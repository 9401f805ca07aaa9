import { memo, useCallback, useEffect, useMemo, useRef, type KeyboardEvent, type ReactNode } from 'react';
import type { MatrixSpectrum } from '../../protocol/messages';
import { DataTable } from './DataTable';
import { formatFixed, formatInt, formatPercent, formatSignificant, kindLabel, matrixLabel, matrixSize } from './format';
import { Segmented } from './Segmented';
import { wallDecades } from './scales';
import { hasEpsilon } from './spectrum';
import { useCanvas, type Draw, type Watch } from './useCanvas';
import { useTopDecade } from './useTopDecade';
import { movePlace, placeOf, wallGrid, type WallGrid } from './wallGeometry';
import { paintWall } from './wallPaint';

export type WallSource = 'run' | 'baseline';

export interface SpectrumWallViewProps {
  /** The spectra of this run that are looked at; null before there are any. */
  matrices: readonly MatrixSpectrum[] | null;
  /** The same at this moment, for the picture: it is drawn again when `watch` calls, without a rendering. */
  now?: () => readonly MatrixSpectrum[] | null;
  watch?: Watch;
  /** The largest singular value of the run so far. */
  largest?: number;
  /** The step of `matrices` where they are not the newest. */
  step?: number | null;
  tools?: ReactNode;
  baseline: { label: string; matrices: readonly MatrixSpectrum[] } | null;
  view: WallSource;
  /** Name of the matrix in the inspector. */
  selected: string;
  hovered: string | null;
  onSelect: (name: string) => void;
  onHover: (name: string | null) => void;
  onView: (view: WallSource) => void;
  /** What stands in place of the wall before there are spectra. */
  empty?: ReactNode;
  /** Names a wall that stands beside another, in the place of its head. */
  name?: string;
  /** Top decade common to several walls. */
  top?: number;
}

const NONE: readonly MatrixSpectrum[] = [];
const VIEWS = [
  { value: 'run', label: 'This run' },
  { value: 'baseline', label: 'Baseline' },
] as const;
const maps = new WeakMap<readonly MatrixSpectrum[], ReadonlyMap<string, MatrixSpectrum>>();
function byName(matrices: readonly MatrixSpectrum[]): ReadonlyMap<string, MatrixSpectrum> {
  let map = maps.get(matrices);
  if (!map) maps.set(matrices, (map = new Map(matrices.map((m) => [m.name, m]))));
  return map;
}

/** All spectra at a glance: a row for each block, a column for each kind of matrix. */
export function SpectrumWallView(props: SpectrumWallViewProps) {
  const { matrices, now, watch, baseline, view, selected, hovered, onSelect, onHover, onView, empty, step = null, name } = props;
  const showsBaseline = view === 'baseline' && baseline !== null;
  const shown = (showsBaseline ? baseline.matrices : matrices) ?? NONE;
  const own = useTopDecade(matrices, baseline?.matrices, props.largest);
  const top = props.top ?? own;
  const decades = useMemo(() => wallDecades(top), [top]);

  const gridKey = shown.map((m) => m.name).join(' ');
  // The plan of the wall changes with the model, not with every spectrum.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- gridKey stands for the names in shown
  const grid = useMemo(() => wallGrid(shown), [gridKey]);
  const map = byName(shown);
  const ghosts = useMemo(() => (baseline && !showsBaseline ? byName(baseline.matrices) : null), [baseline, showsBaseline]);
  const draw = useCallback<Draw>(
    (g, width, height, palette) => {
      const current = (showsBaseline ? undefined : now?.()) ?? shown;
      paintWall(g, width, height, palette, { grid, matrices: byName(current), ghosts, decades, selected });
    },
    [grid, shown, showsBaseline, now, ghosts, decades, selected],
  );
  const canvas = useCanvas(draw, watch);
  const under = hovered ? map.get(hovered) : undefined;
  const anyEpsilon = shown.some(hasEpsilon);

  return (
    <section className="chart-wall" {...(name === undefined ? { 'aria-labelledby': 'spectrum-wall' } : { 'aria-label': name })}>
      {name === undefined && (
        <div className="chart-head">
          <h2 id="spectrum-wall">Spectrum wall</h2>
          {shown.length === 0 ? null : under ? (
            <CellFigures matrix={under} />
          ) : (
            <Legend epsilon={anyEpsilon} ghost={ghosts !== null} tail={shown.some((m) => m.targetRank < m.sigma.length)} />
          )}
          {step !== null && !showsBaseline && <em className="chart-step">step {formatInt(step)}</em>}
          <span className="chart-grow" />
          {props.tools}
          {shown.length > 0 && (
            <DataTable title="Spectra of all matrices" caption={`${shown.length} matrices`} rows={() => wallTable(shown)} />
          )}
          {baseline && <Segmented label="Spectra of" options={VIEWS} value={view} onChange={onView} />}
        </div>
      )}
      <div className="chart-wall-body">
        {grid.blocks.length > 0 && <Cells grid={grid} selected={selected} hovered={hovered} onSelect={onSelect} onHover={onHover} />}
        <canvas ref={canvas} className="chart-wall-canvas" aria-hidden="true" />
        {shown.length === 0 && <div className="chart-empty">{empty ?? <p>The singular values of every weight matrix appear here.</p>}</div>}
      </div>
    </section>
  );
}

function Legend({ epsilon, ghost, tail }: { epsilon: boolean; ghost: boolean; tail: boolean }) {
  return (
    <div className="chart-legend">
      <span>
        <i className="chart-key head" />
        kept
      </span>
      {tail && (
        <span>
          <i className="chart-key tail" />
          tail
        </span>
      )}
      <span>
        <i className="chart-key target" />
        target
      </span>
      {epsilon && (
        <span>
          <i className="chart-key epsilon" />ε
        </span>
      )}
      {ghost && (
        <span className="chart-wide">
          <i className="chart-key ghost" />
          baseline
        </span>
      )}
    </div>
  );
}

function CellFigures({ matrix }: { matrix: MatrixSpectrum }) {
  return (
    <div className="chart-legend chart-readout">
      <span>
        <b>{matrixLabel(matrix)}</b>
      </span>
      <span>
        σ₁ <b>{formatSignificant(matrix.sigma[0] ?? NaN, 3)}</b>
      </span>
      {hasEpsilon(matrix) && (
        <span>
          ε <b>{formatSignificant(matrix.epsilon, 3)}</b>
        </span>
      )}
      <span>
        rank <b>{formatFixed(matrix.effectiveRank, 1)}</b>
      </span>
      <span>
        tail <b>{formatPercent(1 - matrix.tailRatio)}</b>
      </span>
    </div>
  );
}

interface CellsProps {
  grid: WallGrid;
  selected: string;
  hovered: string | null;
  onSelect: (name: string) => void;
  onHover: (name: string | null) => void;
}

/** The buttons under the picture: hover, selection and focus are theirs, so that none of them repaints the canvas. One tab stop. */
const Cells = memo(function Cells({ grid, selected, hovered, onSelect, onHover }: CellsProps) {
  const root = useRef<HTMLDivElement>(null);
  const stop = placeOf(grid, selected) ? selected : (grid.names[0]?.find(Boolean) ?? '');
  const onKeyDown = (event: KeyboardEvent) => {
    const name = (event.target as HTMLElement).dataset.name ?? '';
    const from = placeOf(grid, name);
    const to = from && !event.altKey && !event.metaKey ? movePlace(grid, from, event.key, event.ctrlKey) : null;
    if (!to) return;
    event.preventDefault();
    const next = grid.names[to.row]![to.column]!;
    onSelect(next);
    root.current?.querySelector<HTMLElement>(`[data-name="${CSS.escape(next)}"]`)?.focus();
  };
  // The pointer may leave with the cells, when a run with another model starts.
  useEffect(() => () => onHover(null), [onHover]);
  const columns = grid.columns.reduce((sum, c) => sum + c.span, 0);
  return (
    <div
      ref={root}
      role="grid"
      tabIndex={-1}
      aria-label="Singular values on a log scale, a row for each block; arrow keys move"
      className="chart-wall-cells"
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridTemplateRows: `repeat(${grid.blocks.length}, minmax(0, 1fr))`,
      }}
      onKeyDown={onKeyDown}
    >
      {grid.names.map((names, row) => (
        <div role="row" key={grid.blocks[row]} className="chart-wall-row">
          {names.map((name, column) => {
            const { kind, part, span } = grid.columns[column]!;
            const key = `${kind}.${part}`;
            const place = { gridColumn: span > 1 ? `span ${span}` : undefined };
            if (!name) return <span role="gridcell" key={key} style={place} />;
            return (
              <button
                type="button"
                role="gridcell"
                key={key}
                className="chart-cell"
                style={place}
                data-name={name}
                data-hovered={name === hovered || undefined}
                aria-label={`Block ${grid.blocks[row]}, ${kindLabel(kind)}${rowsText(name)}`}
                aria-selected={name === selected}
                tabIndex={name === stop ? 0 : -1}
                onClick={() => onSelect(name)}
                onPointerEnter={(event) => event.pointerType !== 'touch' && onHover(name)}
                onPointerLeave={() => onHover(null)}
                onFocus={(event) => event.currentTarget.matches(':focus-visible') && onHover(name)}
                onBlur={() => onHover(null)}
              />
            );
          })}
        </div>
      ))}
    </div>
  );
});

/** ", rows 0 to 23" of a slice's name, which ends in (0-24). */
function rowsText(name: string): string {
  const [, from, to] = /\((\d+)-(\d+)\)$/.exec(name) ?? [];
  return from === undefined ? '' : `, rows ${from} to ${Number(to) - 1}`;
}

function wallTable(matrices: readonly MatrixSpectrum[]) {
  return {
    head: ['Matrix', 'Size', 'σ₁', 'ε', 'Target rank', 'Effective rank', 'Stable rank', 'Tail energy'],
    body: matrices.map((m) => [
      matrixLabel(m),
      matrixSize(m),
      formatSignificant(m.sigma[0] ?? NaN),
      hasEpsilon(m) ? formatSignificant(m.epsilon) : '–',
      String(m.targetRank),
      formatFixed(m.effectiveRank, 1),
      formatFixed(m.stableRank, 2),
      formatPercent(1 - m.tailRatio),
    ]),
  };
}
