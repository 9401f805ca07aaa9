const DASHES = ['', 'none', '6 3', '2 2', '8 3 2 3', 'none', '6 3', '2 2', '8 3 2 3'];
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

const MARKERS = [
  null,
  <circle key="m" cx="10" cy="5" r="3" />,
  <rect key="m" x="7.2" y="2.2" width="5.6" height="5.6" />,
  <path key="m" d="M10 1.4L13.4 7.6H6.6z" />,
  <path key="m" d="M10 1.2L13.6 5 10 8.8 6.4 5z" />,
  <path key="m" d="M7.4 2.4l5.2 5.2M12.6 2.4L7.4 7.6" className="open" />,
  <circle key="m" cx="10" cy="5" r="2.7" className="open ring" />,
  <path key="m" d="M10 8.6L6.6 2.4h6.8z" />,
  <path key="m" d="M10 1.6v6.8M6.6 5h6.8" className="open" />,
] as const;

const colour = (style: number) => ({ color: `var(--series-${style})` });

/** Colour, dash and marker of a series style, 1 to 8. */
export const Swatch = ({ style }: { style: number }) => (
  <svg className="run-swatch" viewBox="0 0 20 10" aria-hidden="true" style={colour(style)}>
    <path d="M0 5h20" className="line" strokeDasharray={DASHES[style]} />
    <g>{MARKERS[style]}</g>
  </svg>
);

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
  return (
    <svg
      className="run-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Loss from ${good[0]!.toFixed(2)} to ${good.at(-1)!.toFixed(2)}`}
      style={colour(style)}
    >
      <polyline
        points={points.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join(' ')}
        className="line"
        strokeDasharray={DASHES[style]}
      />
      <circle cx={x} cy={y} r="2" />
    </svg>
  );
}
