/** The pictures that README.md shows, and what they are made from. */
export const README = [
  { view: 'main-finished', size: '1440', theme: 'light', file: 'run.webp' },
  { view: 'overlays', size: '1440', theme: 'dark', file: 'runs.webp' },
  { view: 'ab-parted', size: '1440', theme: 'light', file: 'compare.webp' },
  { view: 'see-attention', size: '1440', theme: 'light', file: 'see.webp' },
  { view: 'lesson-lambda-reveal', size: '1440', theme: 'light', file: 'lesson.webp' },
  { view: 'replay-nogpu', size: '390', theme: 'light', file: 'phone.webp' },
  { view: 'main-matrix', size: '390', theme: 'dark', file: 'phone-dark.webp' },
];
