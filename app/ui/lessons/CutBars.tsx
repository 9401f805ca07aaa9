import { DataTable } from '../charts/DataTable';
import type { CutLine } from './lesson';
import { percent } from './measure';

const WIDTH = 640;
const HEIGHT = 360;
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 96, 20, 40];
const x = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
const y = (accuracy: number) => TOP + (1 - accuracy) * (HEIGHT - TOP - BOTTOM);

/** Accuracy against the share of the parameters kept, as measured in this lesson. */
export function CutBars({ lines }: { lines: readonly CutLine[] }) {
  if (lines.length === 0) return <p className="lesson-empty">What the cuts leave is drawn here when the step has run.</p>;
  const words = lines
    .map((l) => `${l.label}: ${l.cuts.map((c) => `${Math.round(100 * c.fraction)} % kept gives ${percent(c.accuracy)}`).join(', ')}`)
    .join('; ');
  return (
    <>
      <svg className="lesson-cuts" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
        {[0, 0.25, 0.5, 0.75, 1].map((a) => (
          <g key={a}>
            <line className="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(a)} y2={y(a)} />
            <text x={LEFT - 8} y={y(a) + 4} textAnchor="end">
              {100 * a}
              {a === 1 ? ' %' : ''}
            </text>
          </g>
        ))}
        <line className="chance" x1={LEFT} x2={WIDTH - RIGHT} y1={y(0.1)} y2={y(0.1)} />
        <text x={WIDTH - RIGHT + 8} y={y(0.1) + 4}>
          guessing
        </text>
        {[0.1, 0.2, 0.3, 0.5, 0.7, 1].map((s) => (
          <text key={s} x={x(s)} y={HEIGHT - BOTTOM + 18} textAnchor="middle">
            {Math.round(100 * s)}
            {s === 1 ? ' %' : ''}
          </text>
        ))}
        <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 4} textAnchor="middle">
          parameters kept
        </text>
        {lines.map(({ label, cuts }) => {
          const sorted = [...cuts].sort((a, b) => a.fraction - b.fraction);
          const last = sorted.at(-1);
          const style = label === 'AdamQ3R' ? 'mine' : 'other';
          return (
            <g key={label} className={style}>
              <polyline points={sorted.map((c) => `${x(c.fraction)},${y(c.accuracy)}`).join(' ')} />
              {sorted.map((c) =>
                style === 'mine' ? (
                  <circle key={c.fraction} cx={x(c.fraction)} cy={y(c.accuracy)} r="4" />
                ) : (
                  <rect key={c.fraction} x={x(c.fraction) - 3.5} y={y(c.accuracy) - 3.5} width="7" height="7" />
                ),
              )}
              {last && (
                <text className="name" x={x(last.fraction) + 10} y={y(last.accuracy) + (style === 'mine' ? -6 : 14)}>
                  {label}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <DataTable
        title="Accuracy after the cut"
        caption="on 400 test images"
        rows={() => ({
          head: ['Kept', ...lines.map((l) => l.label)],
          body: [...new Set(lines.flatMap((l) => l.cuts.map((c) => c.fraction)))]
            .sort((a, b) => a - b)
            .map((f) => [
              `${Math.round(100 * f)} %`,
              ...lines.map((l) => percent(l.cuts.find((c) => c.fraction === f)?.accuracy ?? Number.NaN)),
            ]),
        })}
      />
    </>
  );
}
