/**
 * `node tests/bench/scalingPlot.mjs FILE…`: draws tests/bench/scaling.svg from what `BENCH_JSON=FILE npm run bench -- scaling` wrote; parts
 * measured one at a time come in several files. Above, the time of a step by each size, with what the operations alone predict from the
 * first point (dashed); below, the memory, measured and planned (dashed).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const files = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const rows = files.flatMap(({ results }) =>
  Object.entries(results).flatMap(([name, { rows }]) => (name.startsWith('scaling') ? rows : [])),
);
const device = files[0]?.device ?? '';
const AXES = [
  ['tokens', 'Tokens'],
  ['width', 'Width'],
  ['depth', 'Blocks'],
  ['batch', 'Batch'],
].filter(([axis]) => rows.some((row) => row.vary === axis && typeof row['ms/step'] === 'number'));
if (AXES.length === 0) throw new Error('none of these files holds a section `scaling`');

const CELL = { width: 210, height: 170, left: 52, top: 54, gapX: 34, gapY: 64 };
const width = CELL.left + AXES.length * (CELL.width + CELL.gapX) + 8;
const height = CELL.top + 2 * (CELL.height + CELL.gapY);
const parts = [];
const text = (x, y, content, extra = '') => parts.push(`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${content}</text>`);
const escape = (s) => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function panel(column, row, points, { title, unit, note }) {
  const x0 = CELL.left + column * (CELL.width + CELL.gapX);
  const y0 = CELL.top + row * (CELL.height + CELL.gapY);
  const xs = points.map((p) => Math.log(p.x));
  const ys = points.flatMap((p) => [p.y, p.line]).map(Math.log);
  const [lowX, highX] = [Math.min(...xs), Math.max(...xs)];
  const pad = 0.08 * (Math.max(...ys) - Math.min(...ys) || 1);
  const [lowY, highY] = [Math.min(...ys) - pad, Math.max(...ys) + pad];
  const X = (v) => x0 + 8 + ((Math.log(v) - lowX) / (highX - lowX || 1)) * (CELL.width - 16);
  const Y = (v) => y0 + CELL.height - ((Math.log(v) - lowY) / (highY - lowY)) * CELL.height;
  text(x0, y0 - 10, escape(title), 'class="h"');
  if (note) text(x0 + CELL.width, y0 - 10, escape(note), 'text-anchor="end" class="n"');
  const inside = (v) => Math.log(v) >= lowY && Math.log(v) <= highY;
  const decades = [1, 2, 5].flatMap((m) => Array.from({ length: 12 }, (_, i) => m * 10 ** (i - 3))).filter(inside);
  // A range within a few times its least gets round steps instead.
  const step = [1, 2, 5, 10, 20, 50, 100].find((d) => (Math.exp(highY) - Math.exp(lowY)) / d < 5) ?? 200;
  const even = Array.from({ length: Math.ceil(Math.exp(highY) / step) }, (_, i) => (i + 1) * step).filter(inside);
  for (const v of decades.length >= 3 ? decades : even) {
    parts.push(`<path d="M${x0} ${Y(v).toFixed(1)}h${CELL.width}" class="g"/>`);
    text(x0 - 6, Y(v) + 3.5, String(v), 'text-anchor="end" class="n"');
  }
  for (const { x } of points) text(X(x), y0 + CELL.height + 15, String(x), 'text-anchor="middle" class="n"');
  const path = (pick) => points.map((p, i) => `${i ? 'L' : 'M'}${X(p.x).toFixed(1)} ${Y(pick(p)).toFixed(1)}`).join('');
  parts.push(`<path d="${path((p) => p.line)}" class="d"/><path d="${path((p) => p.y)}" class="c"/>`);
  for (const p of points)
    parts.push(`<circle cx="${X(p.x).toFixed(1)}" cy="${Y(p.y).toFixed(1)}" r="3"><title>${p.x}: ${p.y} ${unit}</title></circle>`);
}

AXES.forEach(([axis, name], column) => {
  const mine = rows.filter((row) => row.vary === axis);
  const measured = mine.filter((row) => typeof row['ms/step'] === 'number');
  const [first] = measured;
  const fit = /FLOP\^(-?[\d.]+)/.exec(mine.find((row) => row.value === 'fit')?.['ms/step'] ?? '')?.[1];
  panel(
    column,
    0,
    measured.map((r) => ({ x: r.value, y: r['ms/step'], line: (first['ms/step'] * r['GFLOP/step']) / first['GFLOP/step'] })),
    { title: `${name}: ms a step`, unit: 'ms', note: fit && `FLOP^${fit}` },
  );
  panel(
    column,
    1,
    measured.map((r) => ({ x: r.value, y: r['measured MiB'], line: r['planned MiB'] })),
    { title: `${name}: MiB on the GPU`, unit: 'MiB' },
  );
});

const title = `A dense training step as it grows, ${device}`;
writeFileSync(
  fileURLToPath(new URL('./scaling.svg', import.meta.url)),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
<style>text{font:12px sans-serif;fill:#474d53}.h{font-weight:600;fill:#15181b}.n{font-size:11px}.t{font-size:15px;font-weight:600;fill:#15181b}.g{stroke:#e3e3df}.c{fill:none;stroke:#15181b;stroke-width:2}.d{fill:none;stroke:#878c91;stroke-width:1.5;stroke-dasharray:5 3}circle{fill:#15181b}</style>
<rect width="100%" height="100%" fill="#fcfcfb"/>
<text x="${CELL.left}" y="24" class="t">${escape(title)}</text>
<text x="${width - 12}" y="24" text-anchor="end" class="n">solid: measured; dashed: by operations from the first point, and memory as planned</text>
${parts.join('\n')}
</svg>
`,
);
console.log(`tests/bench/scaling.svg, ${rows.length} rows`);
