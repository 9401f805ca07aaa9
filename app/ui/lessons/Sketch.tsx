/** Small line drawings of what might happen, drawn by hand and no data: a line before (grey), and after. */
const HEAD = 'M2 12 C8 14 14 16 20 18';
const SKETCHES = {
  peak: { before: 'M2 20 L86 34', after: 'M2 5 C6 10 12 17 20 20 L86 33' },
  up: { before: 'M2 26 L86 38', after: 'M2 10 L86 22' },
  down: { before: 'M2 10 L86 22', after: 'M2 26 L86 38' },
  flat: { before: 'M2 19 L86 33', after: 'M2 17 L86 31' },
  tail: { before: `${HEAD} L86 26`, after: `${HEAD} C24 30 28 36 34 37 L86 39` },
  cut: { before: `${HEAD} L86 26`, after: `${HEAD} L20 41` },
  back: { before: `${HEAD} C24 32 28 36 34 37 L86 39`, after: 'M2 12 C16 16 30 20 44 23 C48 34 54 38 86 39' },
  stay: { before: `${HEAD} C24 32 28 36 34 37 L86 39`, after: `${HEAD} C24 31 28 35 34 36 L86 38` },
} as const;
const BARS = { barFull: [36, 34], barHalf: [36, 18], barLow: [36, 5], barEven: [36, 36] } as const;
export type SketchName = keyof typeof SKETCHES | keyof typeof BARS;

/** Schematic on purpose: no axes, no figures. */
export function Sketch({ name }: { name: SketchName }) {
  return (
    <svg className="lesson-sketch" viewBox="0 0 88 44" aria-hidden="true">
      <path className="floor" d="M1 42.500H87" />
      {name in BARS ? (
        BARS[name as keyof typeof BARS].map((height, i) => (
          <rect key={i} className={i === 0 ? 'was' : 'now'} x={18 + 30 * i} width={20} y={42 - height} height={height} />
        ))
      ) : (
        <>
          <path className="was" d={SKETCHES[name as keyof typeof SKETCHES].before} />
          <path className="now" d={SKETCHES[name as keyof typeof SKETCHES].after} />
        </>
      )}
    </svg>
  );
}
