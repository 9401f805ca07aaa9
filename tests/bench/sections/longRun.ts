import { defaultExperiment } from '../../../app/protocol/experiment';
import { RECORD_WIDTH, type RunRecord } from '../../../app/protocol/run/record';
import type { Event, MatrixSpectrum } from '../../../app/protocol/messages';
import { seriesOf, columnsOf } from '../../../app/protocol/run/series';
import { round, type Row } from '../section';

export const title = 'Main thread with 100 000 steps in each of four runs';
export const note =
  'The page at 1440 × 900, mounted beside the bench: a run of 100 000 steps on screen that goes on at 5 Hz through the reports of its ' +
  'worker, three kept ones over it. Each line watches one thing a visitor does. Tasks of 50 ms and more are what the browser calls long.';

const STEPS = 100_000;
const SECONDS = 4;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rows of a run whose loss falls with noise on it. */
function rowsOf(steps: number, seed: number, from = 1): Float64Array {
  const rows = new Float64Array(steps * RECORD_WIDTH);
  let state = seed;
  for (let i = 0; i < steps; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const noise = state / 2147483648 - 0.5;
    const step = from + i;
    rows.set([step / 391, 0.4 + 1.9 * Math.exp(-step / 20_000) + 0.4 * noise, 0.3, 0.5 + 0.1 * noise, 1e-3, 1], i * RECORD_WIDTH);
  }
  return rows;
}
const evaluations = (steps: number) =>
  Array.from({ length: steps / 391 }, (_, i) => ({ step: 391 * (i + 1), loss: 1, accuracy: 0.5 + i / 1000, count: 1000 }));

/** Spectra as wide as those of ViT-Tiny. */
function spectra(step: number): MatrixSpectrum[] {
  const kinds = ['q', 'k', 'v', 'proj', 'fc1', 'fc2'] as const;
  return Array.from({ length: 72 }, (_, i) => ({
    ...{ name: `blocks.${Math.floor(i / 6)}.${kinds[i % 6]!}`, block: Math.floor(i / 6), kind: kinds[i % 6]!, rows: 192, cols: 192 },
    ...{ targetRank: 38, regularized: true, epsilon: 0.1, envelopeRank: 40, sketch: 64, residual: 1e-4 },
    ...{ effectiveRank: 50, stableRank: 10, tailRatio: 0.9, value: 1 },
    sigma: Float32Array.from({ length: 192 }, (_, k) => 3 * Math.exp((-k * (1 + step / STEPS)) / 40)),
  }));
}

/** The page itself on this page: its store can be fed as its worker feeds it. */
async function mount() {
  const host = document.createElement('div');
  host.style.cssText = 'position: fixed; inset: 0; width: 1440px; height: 900px; background: var(--surface-0)';
  document.body.append(host);
  const [{ createElement }, { createRoot }, { App }, actions, { setState, getState }, { records }, { clock }] = await Promise.all([
    import('react'),
    import('react-dom/client'),
    import('../../../app/ui/App'),
    import('../../../app/store/actions'),
    import('../../../app/store/store'),
    import('../../../app/store/records'),
    import('../../../app/store/clock'),
    import('../../../app/ui/styles/index.css'),
  ]);
  // A worker that says what is put into its mouth.
  const mouth = new EventTarget();
  actions.useWorker(() => ({
    postMessage: () => undefined,
    terminate: () => undefined,
    addEventListener: (type: string, listener: (event: never) => void) => mouth.addEventListener(type, listener as EventListener),
  }));
  const say = (event: Event) => mouth.dispatchEvent(new MessageEvent('message', { data: event }));
  actions
    .engine()
    .send('init', { baseUrl: '' })
    .catch(() => undefined);
  const root = createRoot(host);
  setState({ screen: 'main', running: getState().experiment });
  root.render(createElement(App));
  return { root, host, actions, getState, setState, records, clock, say };
}

export async function run(): Promise<Row[]> {
  const page = await mount();
  const { actions, setState, getState, records, clock, say } = page;
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) tasks.push(entry.duration);
  });
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const experiment = defaultExperiment();
    const totalSteps = 2 * STEPS;
    const state = (step: number): Event => ({
      ...{ type: 'state', runId: 1, phase: 'running', step, totalSteps, elapsedMs: step * 40, liveBytes: 0 },
    });
    const kept = [2, 3, 4].map((style): { record: RunRecord; style: number } => ({
      style,
      record: {
        ...{
          id: `run ${style}`,
          name: `Run ${style}`,
          date: 0,
          experiment,
          parent: null,
          phase: 'finished',
          step: STEPS,
          totalSteps: STEPS,
        },
        ...{
          origin: { device: '', software: true, version: '', trainCount: 50_000 },
          elapsedMs: STEPS * 40,
          marks: [],
          frames: [],
          curves: {},
        },
        rows: rowsOf(STEPS, style),
        clock: Float64Array.of(STEPS, STEPS * 40),
        evaluations: evaluations(STEPS),
      },
    }));
    const first = rowsOf(STEPS, 1);
    const all = seriesOf(columnsOf(first), evaluations(STEPS), { runId: 1, smoothing: 0.9 });
    const latest = (step: number) => ({ step, epoch: (step - 1) / 391, loss: 1, regularizer: 0, accuracy: 0.5, lr: 1e-3, gradNorm: 1 });
    say(state(STEPS));
    for (let i = 0; i < 240; i++) say({ type: 'spectra', runId: 1, step: 400 * (i + 1), matrices: spectra(400 * (i + 1)) });
    say({ type: 'series', runId: 1, series: all, latest: latest(STEPS), from: 1, rows: first });
    await sleep(2500);

    let step = STEPS;
    const more = rowsOf(400, 7);
    timer = setInterval(() => {
      const from = step + 1;
      step += 5;
      const series = { ...all, step: all.step.slice() };
      series.step[series.step.length - 1] = step;
      const at = ((step / 5) % 80) * 5 * RECORD_WIDTH;
      say({ type: 'series', runId: 1, series, latest: latest(step), from, rows: more.slice(at, at + 5 * RECORD_WIDTH) });
      say(state(step));
      if (step % 15 === 0) say({ type: 'spectra', runId: 1, step, matrices: spectra(step) });
    }, 200);
    observer.observe({ type: 'longtask' });
    const rows: Row[] = [];
    const watch = async (what: string, act: () => void | Promise<void>, seconds = SECONDS) => {
      await sleep(300);
      observer.takeRecords();
      tasks.length = 0;
      const from = performance.now();
      let frames = 0;
      let going = true;
      const count = () => {
        frames++;
        if (going) requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      await act();
      await sleep(Math.max(0, seconds * 1000 - (performance.now() - from)));
      going = false;
      await sleep(100);
      rows.push({
        what,
        'long tasks': tasks.length,
        'longest ms': tasks.length > 0 ? round(Math.max(...tasks)) : 'under 50',
        'frames a second': round((1000 * frames) / (performance.now() - from - 100)),
      });
    };
    await watch('one run, streaming', () => undefined);
    for (const [i] of kept.entries()) await watch(`run ${i + 2} is shown`, () => setState({ shown: kept.slice(0, i + 1) }), 2);
    await watch('four runs, streaming', () => undefined, 8);
    await watch('smoothing changes', () => actions.setSmoothing(0.97), 2);
    await watch('zoom', () => actions.setZoom(40_000, 60_000), 2);
    await watch('zoom at the newest, streaming', () => actions.setZoom(90_000, 110_000));
    await watch('whole run, log x and y', () => {
      actions.resetZoom();
      actions.setLogX(true);
      actions.setLogY(true);
    });
    await watch('by time', () => actions.setAxis('seconds'));
    actions.setLogX(false);
    actions.setAxis('step');
    await watch('playback of 240 spectra', () => actions.playScrub(false), 7.5);
    await watch('all data as CSV, packed', async () => {
      const { saveAll } = await import('../../../app/ui/charts/export/save');
      const link = HTMLAnchorElement.prototype.click;
      HTMLAnchorElement.prototype.click = () => undefined;
      await saveAll(() => undefined).finally(() => (HTMLAnchorElement.prototype.click = link));
    });
    if (records.length < STEPS || clock.packed().length === 0 || getState().step < STEPS) throw new Error('the run did not stream');
    return rows;
  } finally {
    clearInterval(timer);
    observer.disconnect();
    page.root.unmount();
    page.host.remove();
  }
}
