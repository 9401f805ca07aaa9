import { useStore } from '../../store/store';
import { whole } from '../format';

/** Classes shown before the rest folds away. */
const FEW = 12;

/** Training images of each class as bars, and how uneven they are. Nothing before the set is loaded. */
export function ClassCounts() {
  const info = useStore((s) => s.loaded[s.experiment.dataset]);
  if (!info) return null;
  const { classes, classCounts: counts } = info;
  const most = Math.max(1, ...counts);
  const rows = counts.map((count, i) => ({ name: classes[i] ?? String(i), count }));
  return (
    <div className="classes" role="group" aria-label="Training images per class">
      <p className="why">{balance(rows)}</p>
      {rows.length <= FEW ? (
        <Bars rows={rows} most={most} />
      ) : (
        <details className="ranks">
          <summary>{rows.length} classes</summary>
          <Bars rows={rows} most={most} />
        </details>
      )}
    </div>
  );
}

interface Row {
  readonly name: string;
  readonly count: number;
}

/** "Balanced: 500 images each", or the two ends and their ratio. */
function balance(rows: readonly Row[]): string {
  const sorted = [...rows].sort((a, b) => b.count - a.count);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last) return '';
  if (first.count === last.count) return `Balanced: ${whole(first.count)} training images in each of ${rows.length} classes.`;
  const ratio = last.count > 0 ? `${(first.count / last.count).toFixed(first.count < 10 * last.count ? 1 : 0)} to 1` : 'none at all';
  return `${rows.length} classes, from ${whole(last.count)} (${last.name}) to ${whole(first.count)} (${first.name}) training images: ${ratio}.`;
}

function Bars({ rows, most }: { rows: readonly Row[]; most: number }) {
  return (
    <ul className="class-bars" tabIndex={rows.length > FEW ? 0 : undefined} aria-label="Classes">
      {rows.map(({ name, count }, i) => (
        <li key={i}>
          <span className="cut" title={name}>
            {name}
          </span>
          <span className="share" aria-hidden="true">
            <i style={{ width: `${(100 * count) / most}%` }} />
          </span>
          <span className="num">{whole(count)}</span>
        </li>
      ))}
    </ul>
  );
}
