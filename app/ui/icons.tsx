import type { ReactNode } from 'react';

const fill = { fill: 'currentColor', stroke: 'none' } as const;

/** 16-pixel grid, 1.5-pixel stroke, square joins. */
const SHAPES = {
  play: <path d="M4.5 2.8v10.4L13 8z" {...fill} />,
  pause: <path d="M4 3h2.8v10H4zM9.2 3H12v10H9.2z" {...fill} />,
  step: (
    <>
      <path d="M4 3v10l6.5-5z" {...fill} />
      <path d="M12 3v10" />
    </>
  ),
  reset: <path d="M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3" />,
  more: <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth={2.2} strokeLinecap="round" />,
  share: <path d="M6.5 9.5l3-3M7 4.8l1.6-1.6a2.8 2.8 0 0 1 4 4L11 8.8M9 11.2l-1.6 1.6a2.8 2.8 0 0 1-4-4L5 7.2" />,
  weights: <path d="M8 2v8M5 7l3 3 3-3M3 13h10" />,
  theme: (
    <>
      <circle cx="8" cy="8" r="5.2" />
      <path d="M8 2.8a5.2 5.2 0 0 1 0 10.4z" {...fill} />
    </>
  ),
  help: <path d="M6 6.1a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4v.2M8 11.4v.1M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z" />,
  eye: (
    <>
      <path d="M1.5 8C3 5.2 5.3 3.8 8 3.8S13 5.2 14.5 8C13 10.8 10.7 12.2 8 12.2S3 10.8 1.5 8z" />
      <circle cx="8" cy="8" r="2" />
    </>
  ),
  left: <path d="M10.5 3.5L6 8l4.5 4.5" />,
  right: <path d="M5.5 3.5L10 8l-4.5 4.5" />,
  down: <path d="M3.5 6L8 10.5 12.5 6" />,
  check: <path d="M3 8.5l3.2 3.2L13 4.8" />,
  warn: <path d="M8 2.5l6 10.8H2zM8 6.5v3M8 11.4v.1" />,
  info: <path d="M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7v4M8 4.7v.1" />,
  setup: (
    <>
      <path d="M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7" />
      <circle cx="10.5" cy="4.5" r="1.5" />
      <circle cx="5.5" cy="11.5" r="1.5" />
    </>
  ),
  wall: <path d="M2 3.5h5v3.5H2zM9 3.5h5v3.5H9zM2 9.5h5V13H2zM9 9.5h5V13H9z" />,
  curve: <path d="M2 2v12h12M4 4c1 6 3 7 9 7.5" />,
  compare: <path d="M2 2.5h4.5v11H2zM9.5 2.5H14v11H9.5zM2 8h4.5M9.5 5.5H14" />,
  runs: <path d="M2 4h12M2 8h12M2 12h12" />,
  full: <path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" />,
  pin: <path d="M5.5 2.5h5M6.3 2.5v4L4 9.5h8L9.7 6.5v-4M8 9.5v4.5" />,
  eyeOff: <path d="M1.5 8C3 5 5.3 3.7 8 3.7S13 5 14.5 8c-1.5 3-3.8 4.3-6.5 4.3S3 11 1.5 8zM3 13.5L13 2.5" />,
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  lock: <path d="M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5" />,
  film: <path d="M2 3h12v10H2zM5 3v10M11 3v10M2 6.3h3M2 9.7h3M11 6.3h3M11 9.7h3" />,
  open: <path d="M9 2.5h4.5V7M13.5 2.5L8 8M11.5 9.5v4h-9v-9h4" />,
  copy: <path d="M5.5 5.5h8v8h-8zM3 10.5H2.5v-8h8V3" />,
} as const satisfies Record<string, ReactNode>;

export type IconName = keyof typeof SHAPES;

export const Icon = ({ name }: { name: IconName }) => (
  <svg className="i" viewBox="0 0 16 16" aria-hidden="true">
    {SHAPES[name]}
  </svg>
);

/** The mark: a spectrum with its head and its fallen tail. */
export const Mark = () => (
  <svg className="mark" viewBox="0 0 20 20" aria-hidden="true">
    <path d="M2 3v14h16" fill="none" stroke="currentColor" strokeWidth="1.5" />
    <path d="M4.5 4.5C6.5 6 8 6.2 9.2 7" fill="none" stroke="var(--sigma-head)" strokeWidth="2.25" />
    <path d="M9.2 7c.8 6 2 7.6 8.3 8" fill="none" stroke="var(--sigma-tail)" strokeWidth="2.25" />
  </svg>
);
