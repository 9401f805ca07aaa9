import { useRef } from 'react';
import { DataTable } from '../charts/DataTable';
import { usePalette } from '../charts/useCanvas';
import { useSize } from '../charts/useSize';
import type { CutLine } from './lesson';
import { percent } from './measure';

/** Pixels around the plot at the usual type; the names of the lines stand right of it. */
const ROOM = { left: 44, right: 92, top: 16, bottom: 42 };
/** Least distance of two names, in lines. */
const APART = 1.35;

/** Accuracy against the share of the parameters kept, as measured in this lesson. */
export function CutBars({ lines }: { lines: readonly CutLine[] }) {
  return lines.length > 0 ? (
    <Filled lines={lines} />
  ) : (
    <p className="lesson-empty">What the cuts leave is drawn here when the step has run.</p>
  );
}

function Filled({ lines }: { lines: readonly CutLine[] }) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const { scale } = usePalette();
  const [left, right, top, bottom] = [ROOM.left * scale, ROOM.right * scale, ROOM.top, ROOM.bottom * scale];
  const x = (share: number) => left + share * (width - left - right);
  const y = (accuracy: number) => top + (1 - accuracy) * (height - top - bottom);
  const words = lines
    .map((l) => `${l.label}: ${l.cuts.map((c) => `${Math.round(100 * c.fraction)} % kept gives ${percent(c.accuracy)}`).join(', ')}`)
    .join('; ');
  const named = placed(
    [
      { label: 'guessing', y: y(0.1) + 4 * scale },
      ...lines.map(({ label, cuts }) => ({ label, y: y(cuts.reduce((a, b) => (b.fraction > a.fraction ? b : a)).accuracy) + 4 * scale })),
    ],
    11 * scale * APART,
  );
  return (
    <>
      <div ref={box} className="lesson-cuts-box">
        {width > 0 && (
          <svg className="lesson-cuts" width={width} height={height} role="img" aria-label={words}>
            {[0, 0.25, 0.5, 0.75, 1].map((a) => (
              <g key={a}>
                <line className="grid" x1={left} x2={width - right} y1={y(a)} y2={y(a)} />
                <text x={left - 8} y={y(a) + 4} textAnchor="end">
                  {100 * a}
                  {a === 1 ? ' %' : ''}
                </text>
              </g>
            ))}
            <line className="chance" x1={left} x2={width - right} y1={y(0.1)} y2={y(0.1)} />
            <text x={width - right + 8} y={named.get('guessing')}>
              guessing
            </text>
            {[0.1, 0.2, 0.3, 0.5, 0.7, 1].map((s) => (
              <text key={s} x={x(s)} y={height - bottom + 16 * scale} textAnchor="middle">
                {Math.round(100 * s)}
                {s === 1 ? ' %' : ''}
              </text>
            ))}
            <text x={(left + width - right) / 2} y={height - 4} textAnchor="middle">
              parameters kept
            </text>
            {lines.map(({ label, cuts }) => {
              const sorted = [...cuts].sort((a, b) => a.fraction - b.fraction);
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
                  <text className="name" x={width - right + 8} y={named.get(label)}>
                    {label}
                  </text>
                </g>
              );
            })}
          </svg>
        )}
      </div>
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

/** Where names stand that shall be beside `y`, at least `apart` from each other. */
function placed(names: readonly { readonly label: string; readonly y: number }[], apart: number): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let free = -Infinity;
  for (const { label, y } of [...names].sort((a, b) => a.y - b.y)) {
    const at = Math.max(y, free);
    places.set(label, at);
    free = at + apart;
  }
  return places;
}
