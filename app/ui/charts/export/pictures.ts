import { frames } from '../../../store/frames';
import type { AppState } from '../../../store/store';
import { experimentName } from '../../datasets';
import { paintParts, paintReport } from '../../roofline/picture';
import { text, type Context, type Palette } from '../canvas';
import { valueAxis } from '../chartData';
import { CHART_NAMES } from '../ChartReadout';
import { chartTitle } from '../ChartStack';
import { otherCuts } from '../cuts';
import { formatInt, matrixLabel, matrixSize } from '../format';
import { heatColumns } from '../heat';
import { paintHeat, paintLarge } from '../largePaint';
import { methodName } from '../methodName';
import { largeDecades, topDecade, wallDecades } from '../scales';
import { hasEpsilon, lastKept } from '../spectrum';
import { curvesNow } from '../useCurves';
import { xScaleOf } from '../useXScale';
import { viewedSpectra } from '../viewed';
import { wallGrid } from '../wallGeometry';
import { paintWall } from '../wallPaint';
import type { Item } from './items';
import { paintChart, paintLegend } from './paintChart';
import { paintCuts } from './paintCuts';
import { selectedMatrix } from './tables';

/** Something to be painted in a file. */
export interface Picture {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly paint: (g: Context, p: Palette) => void;
}

/** Space around a picture, and above it for its title and legend. */
const EDGE = 24;
const HEAD = 72;

/** Paints with another origin: the functions of the page begin at their own corner. */
type Painter = (g: Context, width: number, height: number, p: Palette) => void;

function framed(title: string, note: string, width: number, height: number, legend: Painter | null, body: Painter): Picture {
  return {
    title: note ? `${title}, ${note}` : title,
    width,
    height,
    paint: (g, p) => {
      g.fillStyle = p.surface0;
      g.fillRect(0, 0, width, height);
      text(g, p, title, EDGE, 32, { size: 15, weight: 600, color: p.text1 });
      g.font = `600 15px ${p.font}`;
      text(g, p, note, EDGE + g.measureText(title).width + 12, 32, { size: 12, color: p.text2 });
      legend?.(g, width, height, p);
      g.save();
      g.translate(EDGE, HEAD);
      body(g, width - 2 * EDGE, height - HEAD - EDGE, p);
      g.restore();
    },
  };
}

const runLabel = (s: AppState): string => methodName((s.running ?? s.experiment).method.name);

function chart(s: AppState, kind: 'loss' | 'accuracy' | 'regularizer' | 'lr'): Picture | null {
  const x = xScaleOf(s);
  const curves = curvesNow(s, x);
  if (curves.length === 0) return null;
  const [width, height] = [1000, 480];
  const axis = valueAxis(kind, curves, x, s.logY, 6);
  const smoothed = kind === 'loss' && s.smoothing > 0 ? `smoothed ${s.smoothing}` : '';
  return framed(
    chartTitle(kind, curves, axis.misses),
    smoothed,
    width,
    height,
    (g, w, _, p) => paintLegend(g, p, curves, EDGE, 56, w - EDGE),
    (g, w, h, p) =>
      paintChart(g, { x: 44, y: 22, width: w - 60, height: h - 66 }, p, { kind, name: CHART_NAMES[kind], curves, x, axis, marks: s.marks }),
  );
}

/** The keys of a spectrum, as above the wall. */
const spectrumLegend =
  (epsilon: boolean, ghost: boolean): Painter =>
  (g, width, _, p) => {
    const keys = [
      ['kept', p.head],
      ['tail', p.tail],
      ['target rank', p.target],
      ...(epsilon ? [['ε', p.epsilon]] : []),
      ...(ghost ? [['dense baseline', p.ghost]] : []),
    ] as const;
    let x = EDGE;
    for (const [name, colour] of keys) {
      g.fillStyle = colour!;
      g.fillRect(x, 50, 14, 3);
      text(g, p, name, x + 20, 56, { size: 12, color: p.text2 });
      x += 20 + g.measureText(name).width + 18;
      if (x > width - EDGE) break;
    }
  };

function wall(s: AppState): Picture | null {
  const showsBaseline = s.wallView === 'baseline' && s.baseline !== null;
  const source = showsBaseline ? s.baseline : viewedSpectra();
  if (!source) return null;
  const { step, matrices } = source;
  const grid = wallGrid(matrices);
  const map = new Map(matrices.map((m) => [m.name, m]));
  const ghosts = s.baseline && !showsBaseline ? new Map(s.baseline.matrices.map((m) => [m.name, m])) : null;
  const decades = wallDecades(topDecade([s.spectra?.matrices, s.baseline?.matrices], undefined, frames.largest));
  const height = HEAD + EDGE + 44 + Math.max(240, grid.blocks.length * 100);
  const title = showsBaseline ? `Singular values, ${s.baseline!.label}` : `Singular values, ${runLabel(s)}`;
  return framed(
    title,
    showsBaseline ? '' : `step ${formatInt(step)}`,
    1200,
    height,
    spectrumLegend(matrices.some(hasEpsilon), ghosts !== null),
    (g, w, h, p) => paintWall(g, w, h, p, { grid, matrices: map, ghosts, decades, selected: '' }),
  );
}

function spectrum(s: AppState): Picture | null {
  const found = selectedMatrix(s);
  if (!found) return null;
  const { step, matrix } = found;
  const ghost = s.wallView === 'baseline' ? undefined : s.baseline?.matrices.find((m) => m.name === matrix.name);
  const decades = largeDecades(topDecade([s.spectra?.matrices, s.baseline?.matrices], undefined, frames.largest));
  return framed(
    `${matrixLabel(matrix)}, ${matrixSize(matrix)}`,
    `singular values by index, step ${formatInt(step)}`,
    720,
    480,
    spectrumLegend(hasEpsilon(matrix), ghost !== undefined),
    (g, w, h, p) => paintLarge(g, w, h, p, { matrix, ghost, ghostLabel: 'dense baseline', decades }),
  );
}

function heat(s: AppState): Picture | null {
  const matrix = selectedMatrix(s)?.matrix;
  const columns = matrix && heatColumns(frames.all(), matrix.name);
  if (!matrix || !columns) return null;
  const x = xScaleOf(s);
  const decades = largeDecades(topDecade([s.spectra?.matrices, s.baseline?.matrices], undefined, frames.largest));
  return framed(
    `${matrixLabel(matrix)}, ${matrixSize(matrix)}`,
    'singular values over the run: index down, colour log σ',
    720,
    480,
    (g, _, __, p) => paintRamp(g, p, decades),
    (g, w, h, p) => paintHeat(g, w, h, p, { columns, kept: lastKept(matrix), decades, x, marks: s.marks }),
  );
}

/** What the colours of a heat map stand for. */
function paintRamp(g: Context, p: Palette, { low, high }: { low: number; high: number }): void {
  text(g, p, `σ ${(10 ** low).toPrecision(1)}`, EDGE, 56, { size: 12, color: p.text2 });
  const from = EDGE + 60;
  p.heat.forEach((colour, i) => {
    g.fillStyle = colour;
    g.fillRect(from + i * 16, 48, 16, 9);
  });
  text(g, p, (10 ** high).toPrecision(2), from + p.heat.length * 16 + 8, 56, { size: 12, color: p.text2 });
}

function truncation(s: AppState): Picture | null {
  const curve = s.curves[s.cutBy];
  if (!curve) return null;
  const others = otherCuts((s.running ?? s.experiment).method.name === 'adamw' ? null : s.baseline, s.shown, s.cutBy);
  const own = { key: 'run', style: 1, label: runLabel(s), curve };
  const name = s.cutShows === 'accuracy' ? 'Accuracy, validation' : 'Loss, validation';
  return framed(
    `${name}, by parameters kept`,
    `${formatInt(curve.full.count)} images, step ${formatInt(curve.step)}`,
    720,
    480,
    (g, w, _, p) => paintLegend(g, p, [own, ...others], EDGE, 56, w - EDGE),
    (g, w, h, p) => paintCuts(g, { x: 44, y: 22, width: w - 60, height: h - 66 }, p, { runs: [own, ...others], shows: s.cutShows }),
  );
}

function roofline({ roofline: report }: AppState): Picture | null {
  if (!report) return null;
  return framed(
    `Roofline, ${report.device}`,
    `${experimentName(report.experiment)}, ${methodName(report.experiment.method.name)}, batch ${formatInt(report.experiment.train.batchSize)}`,
    1000,
    560,
    (g, _w, _h, p) => paintParts(g, p, report, EDGE, 56),
    (g, w, h, p) => paintReport(g, w, h, p, report),
  );
}

/** A picture as the page shows it now; null while there is nothing to show. */
export function pictureOf(s: AppState, item: Item): Picture | null {
  switch (item) {
    case 'wall':
      return wall(s);
    case 'spectrum':
      return spectrum(s);
    case 'heat':
      return heat(s);
    case 'roofline':
      return roofline(s);
    case 'truncation':
      return truncation(s);
    default:
      return chart(s, item);
  }
}
