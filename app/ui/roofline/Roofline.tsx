import { useMemo, useState } from 'react';
import { STEP_PARTS, kernelTime, ridge, type RooflineReport } from '../../protocol/roofline';
import { attempt, cancelRoofline, measureRoofline, openRoofline } from '../../store/actions';
import { useStore } from '../../store/store';
import { formatInt, formatPercent, formatSignificant } from '../charts/format';
import { methodName } from '../charts/methodName';
import { SaveMenu } from '../charts/SaveMenu';
import { experimentName } from '../datasets';
import { plural } from '../format';
import { Icon } from '../icons';
import { PART_NAMES, shortName } from './parts';
import { PartMark } from './PartMark';
import { Plot } from './Plot';
import { sentence } from './rows';
import { hasPlace, rowsOf } from './shape';
import { Table } from './Table';

/** A measurement, its cancelling included, that nobody need hear of twice: the view itself says how it ended. */
const measure = () => void measureRoofline().catch(() => undefined);

/** Where each kernel of a step stands against what this device can do. Stands in the place of the stage. */
export function Roofline() {
  const report = useStore((s) => s.roofline);
  const progress = useStore((s) => s.rooflineProgress);
  const device = useStore((s) => s.device !== null);
  const busy = progress !== null;
  return (
    <section className="see roof" aria-labelledby="roof-title" aria-busy={busy}>
      <div className="chart-head see-head">
        <h2 id="roof-title">Roofline</h2>
        {report && (
          <small className="roof-of">
            {report.device}, {experimentName(report.experiment)}, {methodName(report.experiment.method.name)}, batch{' '}
            {formatInt(report.experiment.train.batchSize)}
          </small>
        )}
        <span className="chart-grow" />
        {report && (
          <button type="button" className="chart-btn" disabled={busy || !device} onClick={measure}>
            Measure again
          </button>
        )}
        {report && <SaveMenu title="Save the roofline" what={['roofline']} />}
        <button
          type="button"
          className="chart-btn icon"
          aria-label="Back to the spectra"
          title="Back to the spectra"
          onClick={() => openRoofline(false)}
        >
          <Icon name="close" />
        </button>
      </div>
      <State />
      {report ? <Report report={report} /> : <Empty />}
    </section>
  );
}

/** What is under way, or went wrong. */
function State() {
  const progress = useStore((s) => s.rooflineProgress);
  const error = useStore((s) => s.rooflineError);
  const running = useStore((s) => s.phase === 'running');
  if (progress)
    return (
      <div className="roof-progress" role="status">
        <p>
          {progress.stage}
          {running && <small>The run waits, and goes on as if nothing had been.</small>}
        </p>
        <progress value={progress.share} aria-label="Progress of the measurement" />
        <button type="button" className="chart-btn" onClick={() => attempt(cancelRoofline())}>
          Cancel
        </button>
      </div>
    );
  if (!error) return null;
  return (
    <div className="note danger" role="alert">
      <Icon name="warn" />
      <p>{error}</p>
      <button type="button" className="btn line" onClick={measure}>
        Try again
      </button>
    </div>
  );
}

function Empty() {
  const device = useStore((s) => s.device !== null);
  const dead = useStore((s) => s.device === null && s.fault !== null);
  const busy = useStore((s) => s.rooflineProgress !== null);
  if (busy) return null;
  return (
    <div className="see-empty">
      <p>
        {dead
          ? 'Measuring needs this device’s graphics, and so WebGPU; a recorded run cannot stand in for it.'
          : 'How fast this device computes and moves data, and how near to that each kernel of a training step comes: some seconds, on a model of its own.'}
      </p>
      {!dead && (
        <button type="button" className="chart-btn primary" disabled={!device} onClick={measure}>
          Measure this device
        </button>
      )}
    </div>
  );
}

function Report({ report }: { report: RooflineReport }) {
  const rows = useMemo(() => rowsOf(report), [report]);
  const [at, setAt] = useState<number | null>(null);
  const total = kernelTime(report.kernels);
  const pointed = rows.find((row) => row.index === at);
  const unplaced = rows.filter((row) => !hasPlace(row)).length;
  return (
    <>
      <div className="see-figures">
        <Figure label="Peak, f32" value={formatSignificant(report.peaks.gflops, 3)} unit="GFLOP/s" />
        <Figure label="Memory" value={formatSignificant(report.peaks.gbps, 3)} unit="GB/s" />
        <Figure label="Balance" value={formatSignificant(ridge(report.peaks), 2)} unit="FLOP/byte" />
        <Figure label="Step" value={formatSignificant(report.stepMilliseconds, 3)} unit="ms" />
        <Figure label="Its kernels, one by one" value={formatSignificant(total, 3)} unit="ms" />
      </div>
      <div className="roof-legend">
        {pointed ? (
          <p className="roof-readout">
            <PartMark part={pointed.part} />
            <span>
              <b>{shortName(pointed.name)}</b>
              {sentence(pointed).slice(shortName(pointed.name).length)}
            </span>
          </p>
        ) : (
          STEP_PARTS.map((part) => {
            const share = rows.reduce((sum, row) => sum + (row.part === part ? row.share : 0), 0);
            return (
              share > 0 && (
                <span key={part}>
                  <PartMark part={part} />
                  {PART_NAMES[part]} <b>{formatPercent(share, 1)}</b>
                </span>
              )
            );
          })
        )}
      </div>
      <Plot report={report} rows={rows} at={at} onAt={setAt} />
      <p className="roof-note">
        {report.clock === 'timestamps'
          ? `Means over ${plural(report.rounds, 'step')} by the GPU’s clock, which browsers round to 0.1 ms.`
          : 'This device has no timestamp queries: each kind of kernel is repeated and timed by the wall clock.'}
        {report.refreshEvery !== null && ` SVD: its share of a step, at a refresh every ${plural(report.refreshEvery, 'step')}.`}
        {!report.gathered && ' The data set is not loaded, so its reading is left out.'}
        {unplaced > 0 && ` ${plural(unplaced, 'kernel')} that only move data are in the table alone.`}
        {' Area of a point: its share of the time. Above the slanted roof: from caches.'}
      </p>
      <Table rows={rows} at={at} onAt={setAt} />
    </>
  );
}

const Figure = ({ label, value, unit }: { label: string; value: string; unit: string }) => (
  <p className="see-figure">
    <span className="lab">{label}</span>
    <b>
      {value} <small>{unit}</small>
    </b>
  </p>
);
