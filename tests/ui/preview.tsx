/** The page on a worker with invented data, for looking at every state: preview.html?state=main. Never part of the build. */
import { createRoot } from 'react-dom/client';
import '../../app/ui/styles/index.css';
import { patchExperiment, type MethodName } from '../../app/protocol/experiment';
import { readOverrides } from '../../app/protocol/overrides';
import { presetExperiment } from '../../app/protocol/presets';
import { attempt, followTheme, openDevice, useWorker } from '../../app/store/actions';
import { getState, setState } from '../../app/store/store';
import { App } from '../../app/ui/App';
import { device, FakeWorker, planOf, seriesOf, spectraOf } from '../store/fakeWorker';

const query = new URLSearchParams(location.search);
const state = query.get('state') ?? 'first';
const pixels = (seed: number) =>
  Uint8ClampedArray.from({ length: 32 * 32 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (seed * 61 + (i >> 6) * 3 + (i % 4) * 40) % 256));
const worker = new FakeWorker({
  init: () => device,
  plan: ({ experiment }) => planOf(experiment),
  configure: ({ experiment }) => planOf(experiment),
  view: () => undefined,
  warm: () => undefined,
  pause: () => {
    setState({ phase: 'paused' });
  },
  start: () => {
    setState({ phase: 'running' });
  },
  samples: ({ count }) => ({
    width: 32,
    height: 32,
    images: Array.from({ length: count }, (_, i) => pixels(i)),
    labels: Array.from({ length: count }, (_, i) => i),
  }),
});
useWorker(() => worker);
followTheme();
createRoot(document.getElementById('root')!).render(<App />);

async function show(): Promise<void> {
  await openDevice(true);
  const experiment = presetExperiment(query.get('preset') ?? 'tiny');
  const changed = patchExperiment(experiment, {
    method: {
      targetRank: 0.25,
      lambda: 0.5,
      name: (query.get('method') ?? 'adamq3r') as MethodName,
      overrides: readOverrides(query.get('overrides') ?? ''),
    },
    train: { lr: 4e-4 },
  });
  if (state !== 'first') setState({ experiment: changed, preset: 'tiny', plan: planOf(changed), screen: 'main' });
  const run = (step: number) => {
    worker.emit({ type: 'experiment', runId: 2, experiment: changed });
    worker.emit({ type: 'spectra', runId: 2, step, matrices: spectraOf(changed, step / 10_000) });
    const series = seriesOf(2, step);
    const latest = { step, epoch: step / 156, loss: 0.556, regularizer: 0.2, accuracy: 0.78, lr: 4e-4, gradNorm: 1.1 };
    worker.emit({ type: 'series', runId: 2, series, latest, from: 1, rows: new Float64Array(0) });
    worker.emit({ type: 'mark', runId: 2, mark: { step: 2000, field: 'method.lambda', from: 0.1, to: 0.5 } });
    worker.emit({
      type: 'timing',
      runId: 2,
      step,
      timing: { msPerStep: 41, imagesPerSecond: 3120, split: { forward: 11.8, backward: 22.6, optimizer: 3.1, q3r: 3.5 } },
    });
    worker.emit({ type: 'evaluation', runId: 2, step, loss: 0.6, accuracy: 0.781, count: 2000 });
    worker.emit({ type: 'state', runId: 2, phase: 'running', step, totalSteps: 10_000, elapsedMs: 262_000, liveBytes: 1.32e9 });
  };
  const dense = { ...changed, method: { ...changed.method, name: 'adamw' as const } };
  if (['main', 'nonfinite', 'lost', 'oom', 'crash', 'ask', 'notice'].includes(state)) {
    worker.emit({ type: 'experiment', runId: 1, experiment: dense });
    worker.emit({
      type: 'series',
      runId: 1,
      series: seriesOf(1, 10_000),
      latest: { step: 1e4, epoch: 64, loss: 0.4, regularizer: 0, accuracy: 0.8, lr: 0, gradNorm: 1 },
      from: 1,
      rows: new Float64Array(0),
    });
    worker.emit({ type: 'spectra', runId: 1, step: 10_000, matrices: spectraOf(dense, 1) });
    worker.emit({ type: 'state', runId: 1, phase: 'finished', step: 10_000, totalSteps: 10_000, elapsedMs: 1, liveBytes: 1 });
    run(6380);
  }
  const fault = { detail: 'GPUDevice lost: destroyed', message: '' };
  switch (state) {
    case 'preparing':
    case 'preparing-first':
      setState({ starting: true, screen: state === 'preparing' ? 'main' : 'first' });
      worker.emit({
        type: 'stages',
        progress: 0.67,
        stages: [
          { label: 'Device found', detail: 'Apple M2 Pro, f16, subgroups', state: 'done' },
          { label: 'Shapes drawn', detail: '20 000 images, 0.4 s', state: 'done' },
          { label: 'Compiling shaders', detail: '31 of 46', state: 'active' },
          { label: 'First step', detail: '', state: 'waiting' },
        ],
      });
      break;
    case 'loading':
      setState({ starting: true, screen: 'first' });
      worker.emit({
        type: 'dataProgress',
        name: 'cifar10',
        stage: 'Training images',
        bytes: 81.4e6,
        totalBytes: 143.6e6,
        bytesPerSecond: 9.2e6,
        images: 34_000,
        totalImages: 60_000,
      });
      break;
    case 'nowebgpu':
      setState({ device: null });
      worker.emit({
        type: 'fault',
        fault: { ...fault, kind: 'no-adapter', message: 'WebGPU is present, but no graphics adapter answered.' },
      });
      break;
    case 'nonfinite':
      worker.emit({
        type: 'fault',
        fault: {
          ...fault,
          kind: 'non-finite',
          message: 'The loss is not finite.',
          step: 6391,
          tensor: 'blocks.3.mlp.fc1.weight',
          badCount: 12,
          snapshotStep: 6250,
          suggestedLr: 1e-4,
          gradNorm: 640,
        },
      });
      break;
    case 'lost':
      worker.emit({
        type: 'fault',
        fault: { ...fault, kind: 'device-lost', message: 'The graphics device went away; a new one is being opened.', snapshotStep: 6250 },
      });
      break;
    case 'oom':
      worker.emit({
        type: 'fault',
        fault: { ...fault, kind: 'out-of-memory', message: 'The activations of 128 images need 2.4 GB more than the device gives.' },
      });
      break;
    case 'crash':
      worker.crash('Uncaught Error: the worker was made to crash');
      break;
    case 'ask':
      setState({ ask: { next: presetExperiment('tiny'), preset: 'tiny', what: 'train.batchSize' } });
      break;
    case 'refused': {
      const plan = planOf(changed);
      setState({
        plan: {
          ...plan,
          refusal: {
            reason: 'This model needs a buffer of 5.1 GB; the device allows 4.0 GB.',
            nearest: presetExperiment('mini'),
            nearestText: '6 blocks of width 128, batch 128',
          },
        },
      });
      break;
    }
    case 'notice':
      setState({
        notices: [
          {
            id: 1,
            level: 'warn',
            message: '2 parts of the link were not applied',
            lines: ['lamda: There is no setting "lamda".', 'lr: Learning rate must be a number from 0 to 1, not 7.'],
          },
        ],
      });
  }
  if (query.get('tab')) setState({ tab: query.get('tab') as 'watch' });
  if (query.get('setup')) setState({ setupOpen: true });
  document.documentElement.dataset.ready = String(getState().screen);
}
attempt(show());
