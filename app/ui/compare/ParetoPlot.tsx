import { useMemo } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { attempt } from '../../store/actions';
import { nameCell, type GridDefinition } from '../../store/compare/grid/definition';
import { selectPlace } from '../../store/compare/grid/grid';
import { useGrid } from '../../store/compare/grid/gridStore';
import { paretoFront } from '../../store/compare/grid/pareto';
import { DataTable } from '../charts/DataTable';
import { formatPercent } from '../charts/format';
import { RunMark } from '../charts/RunMark';
import { niceTicks } from '../charts/scales';
import { denseCurve, gridPoints, hasOwnShares, type GridPoint } from './gridView';
import { Curve, Plot, useFrame, type PlotAxis } from './Plot';

const percent = (value: number): string => String(Math.round(value * 100));

/** Accuracy against parameters kept: what no other run beats, what is beaten, and the dense run cut. */
export function ParetoPlot({ definition }: { definition: GridDefinition }) {
  const { results, selected } = useGrid(useShallow((s) => ({ results: s.results, selected: s.selected })));
  const every = useMemo(() => gridPoints(definition, results), [definition, results]);
  const points = useMemo(() => every.filter((p) => !p.dense), [every]);
  const dense = useMemo(() => denseCurve(definition, results), [definition, results]);
  const front = useMemo(() => paretoFront(points), [points]);
  const own = hasOwnShares(definition);
  const all = [...points.map((p) => [p.kept, p.accuracy] as const), ...dense];
  const axes = useMemo((): { x: PlotAxis; y: PlotAxis } => {
    const right = Math.min(1.2, Math.ceil(Math.max(0.1, ...points.map((p) => p.kept), ...(own ? [] : [1])) * 10 + 0.2) / 10);
    const seen = [...points.map((p) => p.accuracy), ...dense.filter(([kept]) => kept <= right).map(([, accuracy]) => accuracy)];
    const [low, high] = seen.length ? [Math.min(...seen), Math.max(...seen)] : [0, 1];
    const pad = Math.max(0.02, (high - low) * 0.12);
    const domain: [number, number] = [Math.max(0, low - pad), Math.min(1, high + pad)];
    const ticks = niceTicks(0, right, 4);
    return {
      x: { domain: [0, right], ticks: ticks.map((at) => ({ at, name: `${percent(at)}${at === ticks.at(-1) ? '%' : ''}` })) },
      y: { domain, ticks: niceTicks(...domain, 5).map((at) => ({ at, name: `${Number((at * 100).toFixed(1))}%` })) },
    };
  }, [points, dense, own]);
  const words =
    front.length > 0
      ? front.map((p) => `${nameCell(definition, p.x, p.y)}: ${formatPercent(p.accuracy, 1)} with ${formatPercent(p.kept, 1)}`).join('; ')
      : 'no run is done yet';
  return (
    <section className="grid-sec" aria-labelledby="grid-pareto">
      <div className="chart-head">
        <h2 id="grid-pareto">Accuracy against parameters kept</h2>
        <span className="chart-grow" />
        <DataTable
          title="Accuracy against parameters kept"
          caption={`${points.length} points`}
          rows={() => table(definition, points, front)}
        />
      </div>
      {all.length === 0 ? (
        <p className="cmp-none">Every run that is done becomes a point here.</p>
      ) : (
        <Plot
          x={axes.x}
          y={axes.y}
          names
          room={{ top: 24, right: 8 }}
          className="grid-pareto"
          label={`Accuracy against parameters kept. The front: ${words}`}
        >
          {dense.length > 0 && (
            <Clip>
              <Curve xs={dense.map(([kept]) => kept)} ys={dense.map(([, accuracy]) => accuracy)} series={2} dots />
            </Clip>
          )}
          <Points points={points} front={front} onSelect={(p) => attempt(selectPlace(p.x, p.y))} />
          <Chosen point={every.filter((p) => p.x === selected?.x && p.y === selected.y).at(-1)} definition={definition} />
        </Plot>
      )}
      <div className="ramp">
        <span className="grid-key">
          <svg className="chart-mark" viewBox="0 0 18 8" aria-hidden="true">
            <path d="M0 4h18" stroke="var(--text-1)" strokeWidth="1.5" />
            <circle cx="9" cy="4" r="3" fill="var(--text-1)" />
          </svg>
          best so far
        </span>
        <span className="grid-key">
          <svg className="chart-mark" viewBox="0 0 18 8" aria-hidden="true">
            <circle cx="9" cy="4" r="3" fill="var(--ghost)" />
          </svg>
          beaten
        </span>
        {dense.length > 0 && (
          <span className="grid-key">
            <RunMark style={2} />
            dense, cut
          </span>
        )}
        {!own && <span className="grid-key hide-m">every run at every share</span>}
      </div>
    </section>
  );
}

/** Cuts off what leaves the plot. */
function Clip({ children }: { children: React.ReactNode }) {
  const { left, right, top, bottom, width, height } = useFrame();
  return (
    <>
      <clipPath id="grid-clip">
        <rect x={left - 4} y={top - 4} width={Math.max(0, width - left - right + 8)} height={Math.max(0, height - top - bottom + 4)} />
      </clipPath>
      <g clipPath="url(#grid-clip)">{children}</g>
    </>
  );
}

function Points({
  points,
  front,
  onSelect,
}: {
  points: readonly GridPoint[];
  front: readonly GridPoint[];
  onSelect: (p: GridPoint) => void;
}) {
  const { x, y } = useFrame();
  const best = new Set(front);
  return (
    <g className="grid-points">
      {points.map(
        (p, i) => !best.has(p) && <circle key={i} className="beaten" cx={x(p.kept)} cy={y(p.accuracy)} r={3} onClick={() => onSelect(p)} />,
      )}
      {front.length > 1 && <path d={`M${front.map((p) => `${x(p.kept)} ${y(p.accuracy)}`).join('L')}`} />}
      {front.map((p, i) => (
        <circle key={i} cx={x(p.kept)} cy={y(p.accuracy)} r={3.5} onClick={() => onSelect(p)} />
      ))}
    </g>
  );
}

/** The run that is looked at, named. */
function Chosen({ point, definition }: { point: GridPoint | undefined; definition: GridDefinition }) {
  const { x, y, width } = useFrame();
  if (!point) return null;
  const [px, py] = [x(point.kept), y(point.accuracy)];
  const right = px > width / 2;
  const label = { x: px + (right ? -6 : 6), textAnchor: right ? ('end' as const) : ('start' as const) };
  return (
    <g className="grid-chosen">
      <circle cx={px} cy={py} r={7} />
      <text className="name" {...label} y={py - 28}>
        {nameCell(definition, point.x, point.y)}
      </text>
      <text {...label} y={py - 14}>
        {formatPercent(point.accuracy, 1)} with {formatPercent(point.kept, 1)} kept
      </text>
    </g>
  );
}

function table(definition: GridDefinition, points: readonly GridPoint[], front: readonly GridPoint[]) {
  const best = new Set(front);
  return {
    head: ['Run', 'Parameters kept', 'Accuracy', 'Front'],
    body: points.map((p) => [
      nameCell(definition, p.x, p.y),
      formatPercent(p.kept, 1),
      formatPercent(p.accuracy, 1),
      best.has(p) ? 'yes' : '',
    ]),
  };
}
