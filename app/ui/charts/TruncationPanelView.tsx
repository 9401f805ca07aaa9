import { useRef, type ReactNode } from 'react';
import type { Cut, CutBy, ModelFigures } from '../../protocol/truncation';
import type { CutCurve } from '../../store/store';
import { Meter } from '../controls/Meter';
import { Slider } from '../controls/Slider';
import { count, text } from '../format';
import { between, keptAt, measuredShare, shareOf, type CutShows, type OtherCut } from './cuts';
import { DataTable } from './DataTable';
import { formatFixed, formatInt, formatPercent, formatSignificant } from './format';
import { RunMark } from './RunMark';
import { Segmented } from './Segmented';
import { TruncationPlot } from './TruncationPlot';

export interface TruncationPanelViewProps {
  /** Name of the run, its technique. */
  label: string;
  curve: CutCurve | null;
  /** The dense baseline's curve, and those of the kept runs that are shown. */
  others: readonly OtherCut[];
  by: CutBy;
  /** Where the slider stands. */
  at: number;
  shows: CutShows;
  /** Exact figures at the slider; without them those between the measured cuts are shown. */
  cut: (Cut & { readonly full: ModelFigures }) | null;
  busy: boolean;
  measuring: { readonly done: number; readonly total: number } | null;
  /** Steps made. */
  step: number;
  /** There are weights to truncate. */
  ready: boolean;
  /** There are the measured cuts and no weights: the slider goes from one to the next. */
  recorded?: boolean;
  /** Share of the parameters that matches the target rank; NaN where there is none. */
  matching: number;
  onCut: (at: number) => void;
  onBy: (by: CutBy) => void;
  onShows: (shows: CutShows) => void;
  onMeasure: () => void;
  onSave: () => void;
  tools?: ReactNode;
}

const BY = [
  { value: 'fraction', label: 'Parameters' },
  { value: 'energy', label: 'Energy' },
] as const;
const SHOWS = [
  { value: 'accuracy', label: 'Accuracy' },
  { value: 'loss', label: 'Loss' },
] as const;
const SCALE = {
  fraction: { min: 0, max: 1, scale: 'linear', step: 0.01 },
  energy: { min: 0, max: 1, scale: 'linear', step: 0.005 },
} as const;

/** What is left of the model when only the leading singular values are kept. */
export function TruncationPanelView(props: TruncationPanelViewProps) {
  const { curve, measuring, step } = props;
  const images = curve?.full.count ?? props.cut?.full.count;
  return (
    <section className="chart-cut" aria-label="Cut the tail">
      <div className="chart-head">
        <h2>Cut the tail</h2>
        <span className="chart-grow" />
        <small>
          {images === undefined ? '' : `validation, ${formatInt(images)} images`}
          {curve && curve.step !== step ? `, step ${formatInt(curve.step)}` : ''}
        </small>
      </div>
      {measuring && (
        <div className="chart-cut-busy" role="status">
          <Meter label="Measuring the curve" share={measuring.done / measuring.total} />
          <small>
            Measuring, {measuring.done} of {measuring.total}
          </small>
        </div>
      )}
      {curve ? <Filled {...props} curve={curve} /> : <Empty {...props} />}
    </section>
  );
}

const Empty = ({ ready, measuring, recorded, by, onBy, onMeasure }: TruncationPanelViewProps) => (
  <div className="chart-note">
    <p>
      How much of the accuracy is left when every matrix keeps only its largest singular values?
      {recorded && ` The recording holds no measurements by ${by === 'energy' ? 'energy' : 'parameters'}.`}
      {!ready && !recorded && ' Train some steps to find out.'}
    </p>
    {recorded && <Segmented label="Keep by" options={BY} value={by} onChange={onBy} />}
    {!measuring && !recorded && (
      <button type="button" className="chart-btn edged" disabled={!ready} onClick={onMeasure}>
        Measure
      </button>
    )}
  </div>
);

type Filled = TruncationPanelViewProps & { curve: CutCurve };

function Filled(props: Filled) {
  const { label, curve, others, by, at, shows, cut, busy, measuring, step, ready, recorded, matching, tools } = props;
  const { onBy, onShows, onMeasure, onSave } = props;
  const byKey = useRef(false);
  const onCut = (to: number) => props.onCut(recorded ? measuredShare(curve, to, byKey.current ? at : null) : to);
  const exact = cut ?? curve.cuts.find((c) => shareOf(c, by) === at) ?? null;
  const full = cut?.full ?? curve.full;
  const value = (key: 'accuracy' | 'loss' | 'parameters' | 'flops') => exact?.[key] ?? between(curve, at, (c) => c[key]);
  const kept = exact?.fraction ?? keptAt(curve, by, at);
  const values = others.map((other) => between(other.curve, at, (c) => c[shows]));
  const percent = `${formatFixed(at * 100, by === 'energy' ? 1 : 0)}\u2009%`;
  const what = by === 'energy' ? 'of the energy' : 'of the parameters';
  return (
    <>
      <div className="chart-cut-figures" aria-live="polite" aria-busy={busy}>
        <Result style={1} label={label} shows={shows} value={value(shows)} full={full[shows]} about={!exact} />
        {others.map(({ key, style, label: name, curve: its }, i) => (
          <Result
            key={key}
            style={style}
            label={name}
            shows={shows}
            value={values[i]!}
            full={its.full[shows]}
            about={!isMeasured(its, by, at)}
          />
        ))}
      </div>
      <TruncationPlot
        curve={curve}
        others={others}
        shows={shows}
        full={full[shows]}
        kept={kept}
        at={{ run: value(shows), others: values }}
        matching={matching}
        onMatching={by === 'fraction' ? () => onCut(Math.round(matching * 100) / 100) : undefined}
        label={`${shows === 'accuracy' ? 'Accuracy' : 'Loss'} by share of the parameters kept, ${curve.cuts.length} points`}
      />
      <div
        className="chart-cut-slider"
        data-by={by}
        onKeyDown={() => {
          byKey.current = true;
        }}
        onPointerDown={() => {
          byKey.current = false;
        }}
      >
        <Slider
          {...SCALE[by]}
          label={by === 'energy' ? 'Energy kept' : 'Parameters kept'}
          value={at}
          valueText={`${percent} ${what}`}
          onMove={onCut}
          onDone={nothing}
        />
      </div>
      <p className="chart-cut-keep">
        <span title="Of the matrices that the method names; biases, norms and embeddings stay as they are">
          Keep <b>{percent}</b> {what}
        </span>
        <span title="Parameters of the whole model that are left">{text(count(value('parameters')))}</span>
      </p>
      <Savings full={full} cut={exact} flops={value('flops')} parameters={value('parameters')} />
      <div className="chart-cut-controls">
        <Segmented label="Keep by" options={BY} value={by} onChange={onBy} />
        <Segmented label="Curve" options={SHOWS} value={shows} onChange={onShows} />
      </div>
      <div className="chart-foot chart-cut-foot">
        {recorded ? (
          <small>{curve.cuts.length} measured cuts; what lies between needs the weights</small>
        ) : (
          <>
            <button type="button" className="chart-btn" disabled={!ready || measuring !== null} onClick={onMeasure}>
              {curve.step === step ? 'Measure again' : 'Measure'}
            </button>
            <button
              type="button"
              className="chart-btn"
              disabled={!ready}
              onClick={onSave}
              title="The factors at the slider, as safetensors"
            >
              Save factors
            </button>
          </>
        )}
        <span className="chart-grow" />
        {tools}
        <DataTable title="Truncated models" caption={`step ${formatInt(curve.step)}`} rows={() => cutTable(label, curve, others)} />
      </div>
    </>
  );
}

const nothing = () => undefined;
const isMeasured = (curve: CutCurve, by: CutBy, at: number): boolean => curve.cuts.some((cut) => shareOf(cut, by) === at);

interface ResultProps {
  style: number;
  label: string;
  shows: CutShows;
  value: number;
  full: number;
  /** Between measured points. */
  about: boolean;
}

/** Accuracy, large, with the points lost against the full model. */
function Result({ style, label, shows, value, full, about }: ResultProps) {
  const figure = shows === 'accuracy' ? formatPercent(value, 1) : formatFixed(value, 3);
  const lost = shows === 'accuracy' ? signed((value - full) * 100, 1) : signed(value - full, 3);
  return (
    <div className="chart-cut-result" data-about={about || undefined}>
      <b title={about ? 'Between measured points' : undefined}>
        {about && <span className="chart-about">≈</span>}
        {figure}
      </b>
      <small title={shows === 'accuracy' ? 'Points against the full model' : 'Against the full model'}>{lost}</small>
      <span className="chart-run">
        <RunMark style={style} />
        <span className="chart-run-name">{label}</span>
      </span>
    </div>
  );
}

const signed = (value: number, digits: number): string => {
  const shown = formatFixed(value, digits);
  return Number(value.toFixed(digits)) > 0 ? `+${shown}` : Number(value.toFixed(digits)) === 0 ? `±${formatFixed(0, digits)}` : shown;
};
const change = (now: number, before: number): string => (before > 0 ? `${signed(100 * (now / before - 1), 0)}\u2009%` : '');

/** What the truncation saves, counted by the true ranks and measured. */
function Savings({ full, cut, flops, parameters }: { full: ModelFigures; cut: Cut | null; flops: number; parameters: number }) {
  const [ms, before] = [cut?.milliseconds ?? null, full.milliseconds];
  const ranks = cut ? [Math.min(...cut.ranks), Math.max(...cut.ranks)] : null;
  return (
    <dl className="chart-figures">
      <div title={`${formatInt(parameters)} of ${formatInt(full.parameters)} parameters of the whole model`}>
        <dt>Model</dt>
        <dd>
          {text(count(full.parameters))} <small>{change(parameters, full.parameters)}</small>
        </dd>
      </div>
      <div title={`${formatInt(flops)} of ${formatInt(full.flops)} operations for one image`}>
        <dt>FLOPs</dt>
        <dd>
          {text(count(flops))} <small>{change(flops, full.flops)}</small>
        </dd>
      </div>
      <div title="Smallest and largest rank that is kept">
        <dt>Ranks</dt>
        <dd>{ranks ? (ranks[0] === ranks[1] ? ranks[0] : `${ranks[0]} to ${ranks[1]}`) : '–'}</dd>
      </div>
      <div
        title={
          before === null ? 'Measured when the run stands still' : `One image; the full model takes ${formatSignificant(before, 3)} ms`
        }
      >
        <dt>Time</dt>
        <dd>
          {ms === null ? '–' : `${formatSignificant(ms, 3)} ms`} <small>{ms !== null && before !== null ? change(ms, before) : ''}</small>
        </dd>
      </div>
    </dl>
  );
}

/** Every cut of every run, as it was measured. */
function cutTable(label: string, curve: CutCurve, others: readonly OtherCut[]) {
  const energy = curve.by === 'energy';
  const row = (run: string, name: string, c: ModelFigures, share: string, ranks: string) => [
    ...(others.length > 0 ? [run] : []),
    ...(energy ? [name] : []),
    ...[share, ranks, formatPercent(c.accuracy, 2), formatFixed(c.loss, 4), formatInt(c.parameters), formatInt(c.stored)],
    ...[formatInt(c.flops), c.milliseconds === null ? '–' : formatSignificant(c.milliseconds, 3)],
  ];
  return {
    head: [
      ...(others.length > 0 ? ['Run'] : []),
      ...(energy ? ['Energy'] : []),
      ...['Kept', 'Ranks', 'Accuracy', 'Loss', 'Parameters', 'Of the factors', 'FLOPs per image', 'ms per image'],
    ],
    body: [{ label, curve }, ...others].flatMap((run) => [
      ...run.curve.cuts.map((c) =>
        row(
          run.label,
          formatPercent(c.energy ?? NaN, 1),
          c,
          formatPercent(c.fraction, 1),
          `${Math.min(...c.ranks)} to ${Math.max(...c.ranks)}`,
        ),
      ),
      row(run.label, 'full', run.curve.full, 'full', ''),
    ]),
  };
}
