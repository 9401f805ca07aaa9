import { useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { cellsOf, nameCell, valueName, type GridDefinition } from '../../store/compare/grid/definition';
import { attempt, attemptNow } from '../../store/actions';
import { forkCell, takeCellSettings } from '../../store/compare/grid/grid';
import { useGrid } from '../../store/compare/grid/gridStore';
import type { MatrixSpectrum } from '../../protocol/messages';
import { labelOf } from '../../protocol/settings';
import { defaultSelection } from '../../store/events';
import { experimentName } from '../datasets';
import { formatFixed, formatPercent, matrixLabel } from '../charts/format';
import { paintLarge } from '../charts/largePaint';
import { largeDecades } from '../charts/scales';
import { useCanvas, type Draw } from '../charts/useCanvas';
import { useTopDecade } from '../charts/useTopDecade';
import { useCallback, useMemo } from 'react';
import { duration, whole } from '../format';
import { CellSheet } from './CellSheet';

/** The run of the chosen place: its spectrum, its figures and what can be done with it. */
export function CellPanel({ definition }: { definition: GridDefinition }) {
  const { results, selected, record, current } = useGrid(
    useShallow((s) => ({ results: s.results, selected: s.selected, record: s.record, current: s.current })),
  );
  const [open, setOpen] = useState(false);
  if (!selected)
    return (
      <section className="cmp-sec" aria-label="Chosen run">
        <h2>No run chosen</h2>
        <p className="cmp-text">The run chosen in the map is shown here, with its spectrum and its figures.</p>
      </section>
    );
  const cells = cellsOf(definition);
  const here = cells.filter((cell) => cell.x === selected.x && cell.y === selected.y);
  const known = here.filter((cell) => results[cell.index]?.figures);
  const cell = known[0] ?? here[0]!;
  const result = results[cell.index];
  const name = nameCell(definition, selected.x, selected.y);
  const mean = (value: (i: number) => number): number => known.reduce((sum, c) => sum + value(c.index), 0) / known.length;
  const figures = result?.figures;
  const of = (key: 'accuracy' | 'atTarget' | 'kept' | 'effectiveRank' | 'loss' | 'tailEnergy') => mean((i) => results[i]!.figures![key]);
  return (
    <>
      <section className="cmp-sec" aria-labelledby="grid-cell">
        <div className="cmp-head">
          <h2 id="grid-cell">{name}</h2>
          <small>
            run {cell.index + 1} of {cells.length}
          </small>
        </div>
        {figures ? (
          <>
            {record && <Spectrum matrices={record.frames.at(-1)?.matrices ?? []} />}
            <dl className="cmp-list">
              <Figure name="Accuracy, all parameters" value={formatPercent(of('accuracy'), 1)} />
              <Figure name="Accuracy at target rank" value={formatPercent(of('atTarget'), 1)} strong />
              <Figure name="Parameters kept" value={formatPercent(of('kept'), 1)} />
              <Figure name="Loss, training" value={formatFixed(of('loss'), 3)} />
              <Figure name="Effective rank, mean" value={formatFixed(of('effectiveRank'), 1)} />
              <Figure name="Tail energy, mean" value={formatPercent(of('tailEnergy'))} />
              <Figure name="Time" value={duration(figures.elapsedMs / 1000)} />
              {here.length > 1 && <Figure name="Mean of seeds" value={`${known.length} of ${here.length}`} />}
            </dl>
          </>
        ) : result?.problem ? (
          <p className="note danger grid-problem">{result.problem}</p>
        ) : (
          <p className="cmp-text">
            {current && here.some((c) => c.index === current.index)
              ? `Running, step ${whole(current.step)} of ${whole(current.total)}.`
              : 'Still to run.'}
          </p>
        )}
      </section>
      <div className="cmp-sec grid-acts">
        <button type="button" className="btn line" disabled={!record} onClick={() => setOpen(true)}>
          Open run
        </button>
        {record ? (
          <button type="button" className="btn" onClick={() => attempt(forkCell(record))}>
            Same start, one change
          </button>
        ) : (
          <button type="button" className="btn" onClick={() => attemptNow(() => takeCellSettings(cell.experiment, name))}>
            Use these settings
          </button>
        )}
        {open && record && <CellSheet record={record} onClose={() => setOpen(false)} />}
      </div>
    </>
  );
}

/** The setting, seeds and place of keeping of a grid. */
export function GridFacts({ definition }: { definition: GridDefinition }) {
  const notKept = useGrid((s) => s.notKept);
  const list = (path: string, values: GridDefinition['x']['values']): string =>
    values.length > 4
      ? `${valueName(path, values[0]!)}, ${valueName(path, values[1]!)} … ${valueName(path, values.at(-1)!)}`
      : values.map((v) => valueName(path, v)).join(', ');
  return (
    <section className="cmp-sec" aria-labelledby="grid-facts">
      <h2 id="grid-facts">The grid</h2>
      <dl className="cmp-list">
        <Figure name={labelOf(definition.y.path)} value={list(definition.y.path, definition.y.values)} />
        <Figure name={labelOf(definition.x.path)} value={list(definition.x.path, definition.x.values)} />
        <Figure name={definition.seeds.length > 1 ? 'Seeds' : 'Seed'} value={definition.seeds.join(', ')} />
        <Figure name="Each run" value={`${whole(definition.base.train.steps)} steps`} />
        <Figure name="Model" value={experimentName(definition.base)} />
        <Figure name="Kept on this device" value={notKept === null ? 'every run' : 'no'} />
      </dl>
      {notKept !== null && <p className="why bad">This browser keeps nothing here ({notKept}): save the CSV before you leave.</p>}
    </section>
  );
}

const Figure = ({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) => (
  <div>
    <dt>{name}</dt>
    <dd>{strong ? <b>{value}</b> : value}</dd>
  </div>
);

/** The spectrum of one matrix, large; which one is the visitor's choice. */
function Spectrum({ matrices }: { matrices: readonly MatrixSpectrum[] }) {
  const [name, setName] = useState<string>();
  const matrix = matrices.find((m) => m.name === (name ?? defaultSelection(matrices))) ?? matrices[0];
  const top = useTopDecade(matrices, null);
  const decades = useMemo(() => largeDecades(top), [top]);
  const draw = useCallback<Draw>(
    (g, width, height, palette) => {
      if (matrix) paintLarge(g, width, height, palette, { matrix, ghostLabel: '', decades });
    },
    [matrix, decades],
  );
  const canvas = useCanvas(draw);
  if (!matrix) return null;
  return (
    <>
      <canvas
        ref={canvas}
        className="grid-spectrum"
        role="img"
        aria-label={`Singular values of ${matrixLabel(matrix)}, target rank ${matrix.targetRank} of ${matrix.sigma.length}`}
      />
      <select className="chart-menu" aria-label="Matrix" value={matrix.name} onChange={(event) => setName(event.currentTarget.value)}>
        {matrices.map((m) => (
          <option key={m.name} value={m.name}>
            {matrixLabel(m)}
          </option>
        ))}
      </select>
    </>
  );
}
