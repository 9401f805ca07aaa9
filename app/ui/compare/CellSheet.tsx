import { useEffect, useMemo, useRef, useState } from 'react';
import type { RunRecord } from '../../protocol/run/record';
import { columnsOf, seriesOf } from '../../protocol/run/series';
import { techniqueName } from '../../protocol/settings';
import { attempt } from '../../store/actions';
import { overlayRun } from '../../store/compare/grid/grid';
import { defaultSelection } from '../../store/events';
import { stepTicks } from '../charts/axis';
import { formatFixed, formatPercent } from '../charts/format';
import { niceDomain, niceTicks } from '../charts/scales';
import { SpectrumWallView } from '../charts/SpectrumWallView';
import { experimentName } from '../datasets';
import { ago, duration, whole } from '../format';
import { Curve, Plot, type PlotAxis } from './Plot';

/** A finished run of the grid, whole: its last spectra and its curves. */
export function CellSheet({ record, onClose }: { record: RunRecord; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const matrices = record.frames.at(-1)?.matrices ?? null;
  const [selected, setSelected] = useState(matrices ? defaultSelection(matrices) : '');
  const [hovered, setHovered] = useState<string | null>(null);
  const [now] = useState(() => Date.now());
  const series = useMemo(() => seriesOf(columnsOf(record.rows), record.evaluations, { runId: 0, smoothing: 0.9 }), [record]);
  const x: PlotAxis = { domain: [0, record.step], ticks: stepTicks(record.step, 5).map(({ value: at, name }) => ({ at, name })) };
  const axis = (values: ArrayLike<number>, name: (v: number) => string, low?: number): PlotAxis => {
    const finite = Array.from(values).filter(Number.isFinite);
    const [bottom, top] = niceDomain(low ?? Math.min(...finite), Math.max(...finite));
    return { domain: [bottom, top], ticks: niceTicks(bottom, top, 4).map((at) => ({ at, name: name(at) })) };
  };
  const last = record.evaluations.at(-1);
  return (
    <dialog ref={dialog} className="sheet cell-sheet" aria-labelledby="cell-title" onClose={onClose}>
      <div className="cmp-head">
        <h2 id="cell-title">{record.name}</h2>
        <small>
          {experimentName(record.experiment)}, {techniqueName(record.experiment)}; {whole(record.step)} steps in{' '}
          {duration(record.elapsedMs / 1000)} on {record.origin.device}, {ago(now - record.date)}
        </small>
      </div>
      <div className="cell-wall">
        <SpectrumWallView
          name={`Spectra of ${record.name}`}
          matrices={matrices}
          baseline={null}
          view="run"
          selected={selected}
          hovered={hovered}
          onSelect={setSelected}
          onHover={setHovered}
          onView={() => undefined}
        />
      </div>
      <Plot
        x={x}
        y={axis([...series.lossSmooth, ...series.evalLoss], (v) => formatFixed(v, 1))}
        title="Loss, training"
        label={`Loss over ${record.step} steps, at the end ${formatFixed(series.lossSmooth.at(-1) ?? NaN, 3)}`}
      >
        <Curve xs={series.step} ys={series.loss} series={1} faint />
        <Curve xs={series.step} ys={series.lossSmooth} series={1} end />
      </Plot>
      <Plot
        x={x}
        y={axis(series.evalAccuracy.length > 0 ? series.evalAccuracy : [0, 1], (v) => formatPercent(v, 0), 0)}
        names
        title="Accuracy, validation"
        titleLow
        label={last ? `Validation accuracy, at the end ${formatPercent(last.accuracy, 1)}` : 'The run was not validated'}
      >
        <Curve xs={series.evalStep} ys={series.evalAccuracy} series={1} dots />
      </Plot>
      <div className="acts">
        <button type="button" className="btn primary" onClick={() => dialog.current?.close()}>
          Close
        </button>
        <button
          type="button"
          className="btn line"
          onClick={() => {
            dialog.current?.close();
            attempt(overlayRun(record));
          }}
        >
          Draw over the run on screen
        </button>
      </div>
    </dialog>
  );
}
