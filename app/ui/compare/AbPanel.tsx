import { useMemo, type CSSProperties } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { batchesApart, startsApart } from '../../protocol/compare';
import { differences } from '../../protocol/experiment';
import type { Mark } from '../../protocol/messages';
import type { CutCurve } from '../../protocol/truncation';
import { labelOf, valueText } from '../../protocol/settings';
import { attempt } from '../../store/actions';
import { keepShare, measureAb, stepOf } from '../../store/compare/ab';
import { useAb, type Side } from '../../store/compare/abStore';
import { between, cutAxis } from '../charts/cuts';
import { formatFixed, formatInt, formatPercent } from '../charts/format';
import { niceTicks } from '../charts/scales';
import { plural, setting, whole } from '../format';
import { valueAtStep } from './AbCharts';
import { ChangeForm } from './ChangeForm';
import { effectiveRank, figureOf, frameAt, tailEnergy } from '../../store/compare/figures';
import { Curve, Marker, Plot, Upright, useFrame, type PlotAxis } from './Plot';

/** What the two runs differ in, what they share, where they stand, and how well each can be cut. */
export function AbPanel() {
  return (
    <div className="right rail">
      <Differs />
      <Same />
      <Stand />
      <CutBoth />
    </div>
  );
}

/** The step since which a setting has its value, where it was changed on the way. */
const since = (marks: readonly Mark[], field: string): number | undefined => marks.filter((mark) => mark.field === field).at(-1)?.step;

function Differs() {
  const { a, b } = useAb(useShallow((s) => ({ a: s.a, b: s.b })));
  const paths = differences(a.experiment, b.experiment);
  return (
    <section className="cmp-sec" aria-labelledby="cmp-differs">
      <h2 id="cmp-differs">What differs</h2>
      {paths.length === 0 ? (
        <p className="cmp-text">Nothing: the two are the same experiment. Change a setting on one side, now or while they run.</p>
      ) : (
        <table className="cmp-table">
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {paths.map((path) => {
              const from = Math.max(since(a.state.marks, path) ?? 0, since(b.state.marks, path) ?? 0);
              return (
                <tr key={path} className="hit">
                  <th scope="row">
                    {labelOf(path)}
                    {from > 0 && <small> from step {whole(from)}</small>}
                  </th>
                  <td>{valueText(a.experiment, path)}</td>
                  <td>{valueText(b.experiment, path)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      <ChangeForm />
    </section>
  );
}

function Same() {
  const { a, b, parting } = useAb(useShallow((s) => ({ a: s.a.experiment, b: s.b.experiment, parting: s.parting })));
  const start = startsApart(a, b);
  const batches = batchesApart(a, b);
  const coincide = (): string => {
    if (parting.compared === 0) return 'not run yet';
    if (parting.step === null) return `all ${formatInt(parting.compared)} steps`;
    return parting.step === 1 ? 'from no step on' : `until step ${formatInt(parting.step - 1)}`;
  };
  return (
    <section className="cmp-sec" aria-labelledby="cmp-same">
      <h2 id="cmp-same">What is the same</h2>
      <dl className="cmp-list">
        <div>
          <dt>Initial weights</dt>
          <dd>{start === null ? `seed ${a.train.seed}` : `differ by ${labelOf(start)}`}</dd>
        </div>
        <div>
          <dt>Batches and their order</dt>
          <dd>
            {batches === null
              ? `${whole(Math.min(a.train.steps, b.train.steps))} × ${plural(a.train.batchSize, 'image')}`
              : `differ by ${labelOf(batches)}`}
          </dd>
        </div>
        <div>
          <dt>Curves coincide to the bit</dt>
          <dd data-testid="coincide">{coincide()}</dd>
        </div>
      </dl>
    </section>
  );
}

const curveOf = (side: Side): CutCurve | null => side.state.curves.fraction ?? null;
const at = (curve: CutCurve | null, share: number): number => (curve ? between(curve, share, (cut) => cut.accuracy) : NaN);

interface Row {
  readonly name: string;
  readonly a: number;
  readonly b: number;
  readonly text: (value: number) => string;
  /** More of it is better, or less; absent where neither is. */
  readonly better?: 'more' | 'less';
}

const hundredths = (value: number): string => formatFixed(value * 100, 1);

function Stand() {
  const { a, b, look, keep } = useAb(useShallow((s) => ({ a: s.a, b: s.b, look: s.look, keep: s.keep })));
  const step = look ?? stepOf({ a, b });
  const row = (name: string, value: (side: Side) => number, text: Row['text'], better?: Row['better']): Row => ({
    name,
    a: value(a),
    b: value(b),
    text,
    ...(better && { better }),
  });
  const ofFrame = (figure: typeof tailEnergy) => (side: Side) => {
    const frame = frameAt(side.frames, look);
    return frame ? figureOf(frame, figure) : NaN;
  };
  const shares = [...new Set([keep, 0.4, 0.2].map((share) => Math.round(share * 100) / 100))].sort((p, q) => q - p);
  const rows: Row[] = [
    row(
      'Loss, training',
      ({ state: { series } }) => (series ? valueAtStep({ xs: series.step, ys: series.lossSmooth }, step) : NaN),
      (v) => formatFixed(v, 3),
      'less',
    ),
    row('Accuracy, %', ({ evaluations }) => evaluations.filter((e) => e.step <= step).at(-1)?.accuracy ?? NaN, hundredths, 'more'),
    ...(look === null
      ? shares.map((share) => row(`at ${Math.round(share * 100)}\u2009% kept, %`, (side) => at(curveOf(side), share), hundredths, 'more'))
      : []),
    row('Effective rank, mean', ofFrame(effectiveRank), (v) => formatFixed(v, 1)),
    row('Tail energy, mean, %', ofFrame(tailEnergy), hundredths),
    ...(look === null
      ? [
          row(
            'ms / step',
            ({ state }) => state.timing?.msPerStep ?? NaN,
            (v) => formatFixed(v, 1),
          ),
        ]
      : []),
  ];
  return (
    <section className="cmp-sec" aria-labelledby="cmp-stand">
      <h2 id="cmp-stand">Where they stand {look !== null && <small>at step {whole(look)}</small>}</h2>
      <table className="cmp-table">
        <thead>
          <tr>
            <th scope="col">
              <span className="sr">Figure</span>
            </th>
            <th scope="col">A</th>
            <th scope="col">B</th>
            <th scope="col">A − B</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, a: left, b: right, text, better }) => {
            const by = left - right;
            const good = better && Number.isFinite(by) && text(by) !== text(0) ? by > 0 === (better === 'more') : undefined;
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{text(left)}</td>
                <td>{text(right)}</td>
                <td className={good ? 'up' : 'by'}>{Number.isFinite(by) ? `${by > 0 ? '+' : ''}${text(by)}` : '–'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function CutBoth() {
  const { a, b, keep, measuring, phase } = useAb(
    useShallow((s) => ({ a: s.a, b: s.b, keep: s.keep, measuring: s.measuring, phase: s.phase })),
  );
  const [left, right] = [curveOf(a), curveOf(b)];
  const started = stepOf({ a, b }) > 0;
  const axis = useMemo<PlotAxis>(() => {
    const { domain, ticks } = cutAxis([left, right], 'accuracy');
    return { domain, ticks: ticks.map((value) => ({ at: value, name: `${Math.round(value * 100)}%` })) };
  }, [left, right]);
  const x = useMemo<PlotAxis>(
    () => ({
      domain: [0, 1],
      ticks: niceTicks(0, 1, 5).map((value) => ({ at: value, name: `${Math.round(value * 100)}${value === 1 ? '%' : ''}` })),
    }),
    [],
  );
  const underway = measuring || a.state.measuring !== null || b.state.measuring !== null;
  const steps = [left?.step, right?.step].filter((step) => step !== undefined);
  return (
    <section className="cmp-sec cmp-cut" aria-labelledby="cmp-cut">
      <div className="cmp-head">
        <h2 id="cmp-cut">Cut the tail</h2>
        {steps.length > 0 && (
          <small>
            {new Set(steps).size === 1
              ? `accuracy, step ${whole(steps[0]!)}`
              : `accuracy, steps ${steps.map((s) => whole(s)).join(' and ')}`}
          </small>
        )}
      </div>
      {!left && !right ? (
        <p className="cmp-text">How much of its accuracy each keeps when its matrices are cut to fewer singular values.</p>
      ) : (
        <>
          <Plot
            x={x}
            y={axis}
            names
            room={{ right: 8 }}
            className="cmp-cutplot"
            label={`Accuracy by parameters kept: at ${Math.round(keep * 100)} per cent A ${formatPercent(at(left, keep))}, B ${formatPercent(at(right, keep))}`}
          >
            <Upright at={keep} kind="cursor" />
            {right && <Curve xs={right.cuts.map((cut) => cut.fraction)} ys={right.cuts.map((cut) => cut.accuracy)} series={2} dots />}
            {left && <Curve xs={left.cuts.map((cut) => cut.fraction)} ys={left.cuts.map((cut) => cut.accuracy)} series={1} dots />}
            <Names left={left} right={right} />
            <Rings keep={keep} left={at(left, keep)} right={at(right, keep)} />
          </Plot>
          <div className="cmp-keep">
            <input
              type="range"
              aria-label="Parameters kept"
              min={0}
              max={100}
              value={Math.round(keep * 100)}
              aria-valuetext={`${Math.round(keep * 100)} per cent of the parameters`}
              style={{ '--p': keep } as CSSProperties}
              onChange={(event) => keepShare(Number(event.currentTarget.value) / 100)}
            />
          </div>
          <p className="cmp-text" aria-live="polite">
            With <b>{setting(Math.round(keep * 100))}&#x2009;%</b> of the parameters: A <b>{formatPercent(at(left, keep), 1)}</b>, B{' '}
            <b>{formatPercent(at(right, keep), 1)}</b>
          </p>
        </>
      )}
      <button
        type="button"
        className="btn line"
        disabled={!started || underway || phase === 'preparing'}
        onClick={() => attempt(measureAb())}
      >
        {underway ? 'Measuring' : left || right ? 'Measure again' : 'Measure'}
      </button>
    </section>
  );
}

/** The letters of the two curves, where they are farthest from each other. */
function Names({ left, right }: { left: CutCurve | null; right: CutCurve | null }) {
  const { x, y } = useFrame();
  if (!left || !right) return null;
  const shares = [0.3, 0.4, 0.5, 0.6];
  const gap = (share: number) => Math.abs(at(left, share) - at(right, share));
  const share = shares.reduce((best, next) => (gap(next) > gap(best) ? next : best));
  if (Math.abs(y(at(left, share)) - y(at(right, share))) < 18) return null;
  const above = at(left, share) > at(right, share);
  return (
    <>
      <text className="plot-name s1" x={x(share)} y={y(at(left, share)) + (above ? -8 : 16)} textAnchor="middle">
        A
      </text>
      <text className="plot-name s2" x={x(share)} y={y(at(right, share)) + (above ? 16 : -8)} textAnchor="middle">
        B
      </text>
    </>
  );
}

function Rings({ keep, left, right }: { keep: number; left: number; right: number }) {
  const { x, y } = useFrame();
  return (
    <g className="plot-rings">
      {([right, left] as const).map(
        (value, i) =>
          Number.isFinite(value) && (
            <g key={i} className={`s${2 - i}`}>
              <Marker series={i === 1 ? 1 : 2} x={x(keep)} y={y(value)} r={4.5} />
            </g>
          ),
      )}
    </g>
  );
}
