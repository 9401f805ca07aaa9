import { whole } from '../format';
import recorded from './recorded.json';

const WIDTH = 340;
const HEIGHT = 188;
const BOTTOM = 22;
/** Decades shown: the same in both spectra, so that falling is seen as falling. */
const LOW = -3.2;
const HIGH = 1;

/** Three pictures from one recorded run; `recorded.json` says which. */
export function Story() {
  return (
    <div className="story">
      <figure>
        <figcaption>
          <b>1. It starts full</b>Every matrix uses all of its singular values.
        </figcaption>
        <SpectrumPicture sigma={recorded.start} label="Singular values at the start: all of them large" />
      </figure>
      <figure>
        <figcaption>
          <b>2. Q3R presses the tail down</b>Past the target rank, the values fall.
        </figcaption>
        <SpectrumPicture sigma={recorded.end} label="Singular values at the end: a head, and a tail that has fallen" />
      </figure>
      <figure>
        <figcaption>
          <b>3. It learns all the same</b>
          {recorded.label}.
        </figcaption>
        <AccuracyPicture />
      </figure>
    </div>
  );
}

function SpectrumPicture({ sigma, label }: { sigma: readonly number[]; label: string }) {
  const n = sigma.length;
  const floor = HEIGHT - BOTTOM;
  const x = (i: number) => (n > 1 ? (i / (n - 1)) * WIDTH : 0);
  const y = (v: number) => {
    const share = (Math.log10(Math.max(v, 1e-12)) - LOW) / (HIGH - LOW);
    return floor - Math.min(1, Math.max(0, share)) * (floor - 8);
  };
  const r = Math.min(recorded.targetRank, n - 1);
  const points = sigma.map((v, i) => `${x(i).toFixed(1)} ${y(v).toFixed(1)}`);
  const head = points.slice(0, r + 1);
  const tail = points.slice(r);
  const area = (part: string[], from: number, to: number) => `M${x(from)} ${floor}L${part.join('L')}L${x(to)} ${floor}Z`;
  return (
    <svg className="picture" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path d={area(head, 0, r)} fill="var(--sigma-head-fill)" />
      <path d={area(tail, r, n - 1)} fill="var(--sigma-tail-fill)" />
      <line x1={0} x2={WIDTH} y1={floor} y2={floor} stroke="var(--line-2)" />
      <line x1={x(r)} x2={x(r)} y1={2} y2={floor} stroke="var(--target)" strokeWidth="1.25" />
      <polyline points={head.join(' ')} className="curve head" />
      <polyline points={tail.join(' ')} className="curve tail" />
      <text x={Math.max(x(r), 34)} y={HEIGHT - 6} textAnchor="middle" className="strong">
        target rank
      </text>
      <text x={WIDTH} y={HEIGHT - 6} textAnchor="end">
        {n} singular values
      </text>
    </svg>
  );
}

function AccuracyPicture() {
  const { step, accuracy } = recorded.curve;
  const end = step.at(-1) ?? 1;
  const floor = HEIGHT - BOTTOM;
  const last = accuracy.at(-1) ?? 0;
  const x = (s: number) => (s / end) * (WIDTH - 6);
  const y = (a: number) => floor - a * (floor - 8);
  return (
    <svg className="picture" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Accuracy on test images rising over the run">
      {[0.5, 1].map((a) => (
        <g key={a}>
          <line x1={0} x2={WIDTH} y1={y(a)} y2={y(a)} stroke="var(--line-1)" />
          <text x={0} y={y(a) + 13}>
            {a * 100} %
          </text>
        </g>
      ))}
      <line x1={0} x2={WIDTH} y1={floor} y2={floor} stroke="var(--line-2)" />
      <polyline points={step.map((s, i) => `${x(s).toFixed(1)},${y(accuracy[i] ?? 0).toFixed(1)}`).join(' ')} className="curve run" />
      <circle cx={x(end)} cy={y(last)} r="3.5" fill="var(--series-1)" />
      <text x={x(end) - 6} y={y(last) - 10} textAnchor="end" className="run-label">
        {Math.round(last * 100)} % of test images
      </text>
      <text x={0} y={HEIGHT - 6}>
        0
      </text>
      <text x={WIDTH} y={HEIGHT - 6} textAnchor="end">
        step {whole(end)}
      </text>
    </svg>
  );
}
