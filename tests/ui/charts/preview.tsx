// A page of the charts with invented data, for looking at them: npx vite --port 5310, then /tests/ui/charts/preview.html?blocks=12&width=192&…
import { StrictMode, useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import '../../../app/ui/styles/tokens.css';
import '../../../app/ui/charts/charts.css';
import '../../../app/ui/charts/formula.css';
import { presetExperiment } from '../../../app/protocol/presets';
import { FormulaPanelView } from '../../../app/ui/charts/FormulaPanelView';
import { LossGlimpseView } from '../../../app/ui/charts/LossGlimpseView';
import { MatrixInspectorView, type TimeView } from '../../../app/ui/charts/MatrixInspectorView';
import { RunChartsView } from '../../../app/ui/charts/RunChartsView';
import { heatColumns } from '../../../app/ui/charts/heat';
import { SpectrumWallView } from '../../../app/ui/charts/SpectrumWallView';
import { useTopDecade } from '../../../app/ui/charts/useTopDecade';
import { curveOf, scaleOf, series, spectra } from './synthetic';

const query = new URLSearchParams(location.search);
const number = (name: string, fallback: number) => Number(query.get(name) ?? fallback);
const flag = (name: string) => query.has(name);
document.documentElement.dataset.theme = query.get('theme') ?? 'light';
if (flag('projector')) document.documentElement.style.setProperty('--scale', '1.35');
document.body.className = flag('matrix') ? 'matrix' : '';

const blocks = number('blocks', 12);
const total = number('total', 19550);
const dense = flag('dense');
const shape = { blocks, width: number('width', 192), fused: flag('fused'), extras: flag('extras') };
const progressOf = (step: number) => step / total;
// Made once, so that a live page spends its time on drawing.
const pool = Array.from({ length: 50 }, (_, i) => spectra({ ...shape, progress: i / 49, dense }));
const spectraAt = (step: number) => pool[Math.min(49, Math.round(progressOf(step) * 49))]!.map((m) => ({ ...m, sigma: m.sigma.slice() }));
const experiment = presetExperiment('tiny');

function Preview() {
  const [step, setStep] = useState(number('step', 12480));
  const [selected, setSelected] = useState(`blocks.${Math.min(7, blocks - 1)}.mlp.fc1.weight`);
  const [hovered, setHovered] = useState<string | null>(null);
  const [wall, setWall] = useState<'run' | 'baseline'>(flag('showbase') ? 'baseline' : 'run');
  const [time, setTime] = useState<TimeView>(flag('time') ? 'time' : 'now');
  const [smoothing, setSmoothing] = useState(0.9);
  const matrices = useMemo(() => (flag('empty') ? null : spectraAt(step)), [step]);
  const curve = useMemo(() => (flag('empty') ? null : series(step, total, 3, dense, number('evalEvery', 391))), [step]);
  const baseline = useMemo(
    () =>
      flag('base')
        ? { label: 'Dense AdamW', matrices: spectra({ ...shape, progress: 1, dense: true }), series: series(total, total, 11, true) }
        : null,
    [],
  );
  const columns = useMemo(
    () =>
      heatColumns(
        Array.from({ length: 201 }, (_, i) => ({ step: Math.round((i * step) / 200), matrices: spectraAt((i * step) / 200) })),
        selected,
      ),
    [step, selected],
  );
  const [zoom, setZoom] = useState<readonly [number, number] | null>(null);
  const [logs, setLogs] = useState({ x: flag('logx'), y: flag('logy') });
  const x = useMemo(() => scaleOf(total, { zoom, log: logs.x, step }), [zoom, logs, step]);
  const curves = useMemo(
    () => [
      ...(curve ? [curveOf(curve, 1, dense ? 'AdamW (dense)' : 'AdamQ3R')] : []),
      ...(baseline ? [curveOf(baseline.series, 2)] : []),
      ...Array.from({ length: number('others', 0) }, (_, i) =>
        curveOf(series(total, total, 20 + i, i % 2 > 0), 3 + i, `Other run ${i + 1}`),
      ),
    ],
    [curve, baseline],
  );
  const top = useTopDecade(matrices, baseline?.matrices);
  useEffect(() => {
    if (!flag('live')) return;
    const timer = setInterval(() => setStep((s) => Math.min(total, s + 40)), 200);
    return () => clearInterval(timer);
  }, []);
  const shown = (wall === 'baseline' ? baseline?.matrices : matrices) ?? [];
  const at = shown.findIndex((m) => m.name === selected);
  const matrix = shown[at] ?? null;
  const marks = flag('marks') && step > 3910 ? [{ step: 3910, field: 'method.lambda', from: 0.001, to: 0.01 }] : [];
  return (
    <>
      <main className="stage">
        {!flag('nowall') && (
          <SpectrumWallView
            matrices={matrices}
            baseline={baseline}
            view={wall}
            selected={selected}
            hovered={hovered}
            onSelect={setSelected}
            onHover={setHovered}
            onView={setWall}
            empty={
              <>
                <p>The singular values of every weight matrix appear here while the model trains.</p>
                <button className="chart-btn primary">Play</button>
              </>
            }
          />
        )}
        {!flag('nocharts') && (
          <RunChartsView
            curves={curves}
            x={x}
            marks={marks}
            smoothing={smoothing}
            onSmoothing={setSmoothing}
            logY={logs.y}
            onAxis={() => undefined}
            onLogX={(on) => setLogs({ ...logs, x: on })}
            onLogY={(on) => setLogs({ ...logs, y: on })}
            onZoom={setZoom}
          />
        )}
      </main>
      <aside className="rail">
        <MatrixInspectorView
          matrix={matrix}
          ghost={wall === 'baseline' ? undefined : baseline?.matrices.find((m) => m.name === selected)}
          top={top}
          onMove={(by) => setSelected(shown[(at + by + shown.length) % shown.length]!.name)}
          history={wall === 'baseline' ? null : columns}
          view={time}
          onView={setTime}
          marks={marks}
          x={x}
          arrows={flag('extras')}
        />
        <FormulaPanelView
          matrix={matrix}
          method={{
            ...experiment.method,
            name: dense || wall === 'baseline' ? 'adamw' : ((query.get('method') ?? 'adamq3r') as 'adamq3r'),
            lambda: 0.01,
            epsilonSchedule: (query.get('schedule') ?? 'default') as 'default',
          }}
          train={experiment.train}
          lr={4e-4}
          step={step}
          marks={marks}
        />
        {flag('glimpse') && (
          <div style={{ padding: '0 16px' }}>
            <LossGlimpseView series={series(1284, 1600)} badStep={1290} snapshotStep={1250} />
          </div>
        )}
      </aside>
    </>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Preview />
  </StrictMode>,
);
