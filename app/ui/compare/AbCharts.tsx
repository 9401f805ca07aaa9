import { useEffect, useMemo, useState } from 'react';
import { hoverPair, lookAt, stepOf } from '../../store/compare/ab';
import { SIDES, useAb, type Side } from '../../store/compare/abStore';
import { useShallow } from 'zustand/react/shallow';
import { STEPS, stepScale, stepTicks } from '../charts/axis';
import { accuracyTop, indexAt, valueAxis } from '../charts/chartData';
import { DataTable } from '../charts/DataTable';
import { formatFixed, formatInt, formatMark, formatPercent } from '../charts/format';
import { setHoverStep, useHoverStep } from '../charts/hoverStep';
import { RunMark } from '../charts/RunMark';
import { logTicks, niceTicks, stepWindow } from '../charts/scales';
import { Icon } from '../icons';
import { effectiveRank, figureOf, tailEnergy } from '../../store/compare/figures';
import { Curve, Plot, Upright, type PlotAxis } from './Plot';

type Second = 'tail' | 'accuracy' | 'rank';
const SECOND: readonly { value: Second; label: string }[] = [
  { value: 'tail', label: 'Tail energy, mean' },
  { value: 'accuracy', label: 'Accuracy, validation' },
  { value: 'rank', label: 'Effective rank, mean' },
];

interface Line {
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
}
const NO_LINE: Line = { xs: [], ys: [] };

const lossLine = ({ state: { series } }: Side): Line => (series ? { xs: series.step, ys: series.lossSmooth } : NO_LINE);
const rawLine = ({ state: { series } }: Side): Line => (series ? { xs: series.step, ys: series.loss } : NO_LINE);
function secondLine(side: Side, second: Second): Line {
  if (second === 'accuracy') return { xs: side.evaluations.map((e) => e.step), ys: side.evaluations.map((e) => e.accuracy) };
  const figure = second === 'tail' ? tailEnergy : effectiveRank;
  return { xs: side.frames.map((f) => f.step), ys: side.frames.map((f) => figureOf(f, figure)) };
}

/** The value of a line at a step: that of its last point until then. */
export function valueAtStep({ xs, ys }: Line, step: number): number {
  const i = indexAt(xs, step);
  return i < 0 ? NaN : ys[i]!;
}

const finite = (...lines: Line[]): number[] => lines.flatMap(({ ys }) => Array.from(ys)).filter(Number.isFinite);
const named = (ticks: readonly number[], name: (value: number) => string) => ticks.map((at) => ({ at, name: name(at) }));

/** The losses of both, raw outliers aside. */
function lossAxis(sides: readonly Side[], lastStep: number): PlotAxis {
  const curves = sides.flatMap(({ state: { series } }, i) => (series ? [{ key: String(i), style: 1, label: '', series, map: STEPS }] : []));
  const { domain, ticks } = valueAxis('loss', curves, stepScale(lastStep), false, 4);
  return { domain, ticks: named(ticks, (v) => v.toFixed(domain[1] - domain[0] < 0.5 ? 2 : 1)) };
}

const percentName = (v: number): string => `${Number((v * 100).toPrecision(2))}%`;
function secondAxis(second: Second, lines: readonly Line[]): PlotAxis {
  const values = finite(...lines);
  const high = Math.max(...values);
  if (values.length === 0) return { domain: [0, 1], ticks: [] };
  if (second === 'tail') {
    const low = Math.max(1e-5, Math.min(...values.filter((v) => v > 0)));
    const domain: [number, number] = [Math.min(low * 0.8, 0.09), 1];
    return { domain, ticks: named(logTicks(...domain, 4), percentName), log: true };
  }
  const top = second === 'accuracy' ? accuracyTop(high) : high * 1.1;
  return { domain: [0, top], ticks: named(niceTicks(0, top, 4), second === 'accuracy' ? percentName : (v) => formatFixed(v, 0)) };
}

/** Both runs in two charts over one axis of steps, the moment they part, and the slider over their spectra. */
export function AbCharts() {
  const { a, b, parting } = useAb(useShallow((s) => ({ a: s.a, b: s.b, parting: s.parting })));
  const [second, setSecond] = useState<Second>('tail');
  const step = stepOf({ a, b });
  const total = Math.max(a.experiment.train.steps, b.experiment.train.steps);
  const lastStep = stepWindow(step, total);
  const x = useMemo<PlotAxis>(
    () => ({ domain: [0, lastStep], ticks: stepTicks(lastStep, 5).map(({ value, name }) => ({ at: value, name })) }),
    [lastStep],
  );
  const loss = useMemo(() => [lossLine(a), lossLine(b)] as const, [a, b]);
  const other = useMemo(() => [secondLine(a, second), secondLine(b, second)] as const, [a, b, second]);
  const lossY = useMemo(() => lossAxis([a, b], lastStep), [a, b, lastStep]);
  const otherY = useMemo(() => secondAxis(second, other), [second, other]);
  const title = SECOND.find((s) => s.value === second)!.label;
  const marks = useMemo(() => {
    const seen = new Map<number, string>();
    for (const side of [a, b])
      for (const mark of side.state.marks)
        seen.set(mark.step, `${seen.has(mark.step) ? `${seen.get(mark.step)}, ` : ''}${side === a ? 'A' : 'B'} ${formatMark(mark)}`);
    return [...seen].map(([at, name]) => ({ at, name }));
  }, [a, b]);
  const point = (at: number | null) => setHoverStep(at === null || step === 0 ? null : Math.min(step, Math.max(1, Math.round(at))));
  useEffect(() => () => setHoverStep(null), []);
  if (step === 0)
    return (
      <section className="cmp-charts" aria-label="Charts">
        <p className="cmp-none">
          Play trains both on the same batches, step by step. Loss and tail energy appear here with the first step.
        </p>
      </section>
    );
  const shared = { x, onPoint: point, onPick: (at: number) => lookAt(Math.min(step, Math.round(at))) };
  // A change shows in the loss of the step after the next.
  const parted = parting.step === null ? null : parting.step - 1;
  const cause = marks.find((mark) => parted !== null && parted >= mark.at && parted <= mark.at + 1);
  const events = (names: boolean) => (
    <>
      {marks.map((mark) => mark !== cause && <Upright key={mark.at} at={mark.at} kind="event" name={names ? mark.name : undefined} />)}
      {parted !== null && (
        <Upright
          at={parted}
          kind="event"
          strong
          name={names ? `they part, step ${formatInt(parted)}${cause ? `: ${cause.name}` : ''}` : undefined}
        />
      )}
    </>
  );
  return (
    <section className="cmp-charts" aria-label="Charts">
      <div className="chart-head small">
        <Readout step={step} loss={loss} other={other} second={second} title={title} />
        <span className="chart-grow" />
        <select
          className="chart-menu"
          aria-label="Second chart"
          value={second}
          onChange={(event) => setSecond(event.currentTarget.value as Second)}
        >
          {SECOND.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <DataTable title="Both runs by step" caption="A and B" rows={() => table(a, b, second, title)} />
      </div>
      <Plot
        {...shared}
        y={lossY}
        className="cmp-plot"
        title="Loss, training"
        titleLow={false}
        label={`Loss of both runs: A ${formatFixed(valueAtStep(loss[0], step), 3)}, B ${formatFixed(valueAtStep(loss[1], step), 3)} after step ${step}`}
      >
        <Curve {...rawLine(b)} series={2} faint />
        <Curve {...rawLine(a)} series={1} faint />
        {events(true)}
        <Curve {...loss[0]} series={1} end />
        <Curve {...loss[1]} series={2} end />
        <Cursor />
      </Plot>
      <Plot {...shared} y={otherY} className="cmp-plot" title={title} titleLow={second !== 'tail'} names label={`${title} of both runs`}>
        {events(false)}
        <Curve {...other[0]} series={1} end />
        <Curve {...other[1]} series={2} end />
        <Cursor />
      </Plot>
      <Scrubber step={step} lastStep={lastStep} />
    </section>
  );
}

/** The step under the pointer, or the one whose spectra are looked at; null for the newest. It moves often: only what follows it is drawn again. */
function useCursor(): number | null {
  const look = useAb((s) => s.look);
  return useHoverStep() ?? look;
}

function Cursor() {
  const cursor = useCursor();
  return cursor !== null && <Upright at={cursor} kind="cursor" />;
}

interface ReadoutProps {
  step: number;
  loss: readonly Line[];
  other: readonly Line[];
  second: Second;
  title: string;
}

/** The values of both runs at the cursor. */
function Readout({ step, loss, other, second, title }: ReadoutProps) {
  const cursor = useCursor();
  const at = cursor ?? step;
  return (
    <>
      {SIDES.map((name, i) => {
        const value = valueAtStep(other[i]!, at);
        return (
          <span key={name} className="chart-run" data-which={i + 1}>
            <RunMark style={i + 1} />
            {name.toUpperCase()}
            <b title="Loss, smoothed">{formatFixed(valueAtStep(loss[i]!, at), 3)}</b>
            <b title={title}>{second === 'rank' ? formatFixed(value, 1) : formatPercent(value, 1)}</b>
          </span>
        );
      })}
      {cursor !== null && <em className="chart-step">step {formatInt(cursor)}</em>}
    </>
  );
}

/** Milliseconds a frame stays when the spectra are played back. */
const FRAME_MS = 120;

/** Looks at an earlier step on both walls; at its right end it follows the runs. */
function Scrubber({ step, lastStep }: { step: number; lastStep: number }) {
  const look = useAb((s) => s.look);
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const { look: from, a } = useAb.getState();
      const next = a.frames.find((frame) => frame.step > (from ?? -1));
      if (next) lookAt(next.step);
      else {
        lookAt(null);
        setPlaying(false);
      }
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [playing]);
  const at = look ?? step;
  return (
    <div className="cmp-scrub">
      <button
        type="button"
        className="btn icon"
        aria-label={playing ? 'Stop playing back' : 'Play back'}
        title={playing ? 'Stop playing back' : 'Play the spectra back'}
        onClick={() => {
          if (!playing) lookAt(0);
          setPlaying(!playing);
        }}
      >
        <Icon name={playing ? 'pause' : 'play'} />
      </button>
      <input
        type="range"
        aria-label="Look at step"
        min={0}
        max={step}
        value={at}
        aria-valuetext={look === null ? `step ${step}, the newest` : `step ${at}`}
        style={{ '--p': at / Math.max(1, step), width: `${(step / lastStep) * 100}%` } as React.CSSProperties}
        onChange={(event) => {
          setPlaying(false);
          const value = Number(event.currentTarget.value);
          hoverPair(null);
          lookAt(value >= step ? null : value);
        }}
      />
      {look !== null && (
        <button type="button" className="btn sm" onClick={() => lookAt(null)}>
          Newest
        </button>
      )}
    </div>
  );
}

function table(a: Side, b: Side, second: Second, title: string) {
  const lines = [lossLine(a), lossLine(b), secondLine(a, second), secondLine(b, second)];
  const digits = (i: number, v: number) =>
    !Number.isFinite(v) ? '' : i < 2 ? formatFixed(v, 4) : second === 'rank' ? formatFixed(v, 1) : formatPercent(v);
  return {
    head: ['Step', 'Loss A', 'Loss B', `${title}, A`, `${title}, B`],
    body: Array.from(lines[0]!.xs, (step) => [formatInt(step), ...lines.map((line, i) => digits(i, valueAtStep(line, step)))]),
  };
}
