import { isOpen, markerPath, runStyle } from './runStyle';

/** How a run is drawn: a piece of its line with its marker. */
export function RunMark({ style, className = 'chart-mark' }: { style: number; className?: string }) {
  const { colour, dash, marker } = runStyle(style);
  const paint = `var(--${colour})`;
  return (
    <svg className={className} viewBox="0 0 22 8" aria-hidden="true">
      <path d="M0 4h22" fill="none" stroke={paint} strokeWidth={style === 1 ? 2 : 1.5} strokeDasharray={dash.join(' ') || undefined} />
      <path
        d={markerPath(marker, 11, 4, style === 1 ? 3 : 2.6)}
        fill={isOpen(marker) ? 'none' : paint}
        stroke={paint}
        strokeWidth={isOpen(marker) ? 1.5 : 1}
      />
    </svg>
  );
}
