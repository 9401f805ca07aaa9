import { RunMark } from '../charts/RunMark';
import { runStyle } from '../charts/runStyle';

/** What the colours are called, for those who hear the page. */
export const STYLE_NAMES = [
  '',
  'blue line with discs',
  'amber dashes with squares',
  'green dots with triangles',
  'red dash-dots with diamonds',
  'grey line with crosses',
  'violet dashes with rings',
  'teal dots with turned triangles',
  'brown dash-dots with pluses',
];

/** Colour, dash and marker of a series style, 1 to 8. */
export const Swatch = ({ style }: { style: number }) => <RunMark style={style} className="run-swatch" />;

const WIDTH = 84;
const HEIGHT = 20;

/** A loss curve in the height of a row. */
export function Spark({ losses, style }: { losses: readonly number[]; style: number }) {
  const good = losses.filter(Number.isFinite);
  if (good.length < 2) return <span className="quiet">–</span>;
  const [low, high] = [Math.min(...good), Math.max(...good)];
  const place = (loss: number, i: number) => {
    const x = 2 + ((WIDTH - 6) * i) / (good.length - 1);
    return [x, 2 + (HEIGHT - 4) * (1 - (loss - low) / (high - low || 1))] as const;
  };
  const points = good.map(place);
  const [x, y] = points.at(-1)!;
  const { colour, dash } = runStyle(style);
  return (
    <svg
      className="run-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Loss from ${good[0]!.toFixed(2)} to ${good.at(-1)!.toFixed(2)}`}
      style={{ color: `var(--${colour})` }}
    >
      <polyline
        points={points.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join(' ')}
        className="line"
        strokeDasharray={dash.join(' ') || undefined}
      />
      <circle cx={x} cy={y} r="2" />
    </svg>
  );
}
