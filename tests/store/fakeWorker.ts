import type { Experiment } from '../../app/protocol/experiment';
import type {
  Command,
  CommandMap,
  CommandType,
  DeviceReport,
  Event,
  Fault,
  MatrixPlan,
  MatrixSpectrum,
  PlanReport,
  Series,
} from '../../app/protocol/messages';
import { resolveModel } from '../../app/engine/train/datasets';
import { planMatrices, planOf as planOfMatrix } from '../../app/engine/train/matrices';
import type { WorkerLike } from '../../app/store/workerClient';

type Handlers = { [K in CommandType]?: (args: CommandMap[K]['args']) => CommandMap[K]['reply'] | Promise<CommandMap[K]['reply']> };

export const device: DeviceReport = {
  name: 'Apple M2 Pro',
  software: false,
  features: ['f16', 'subgroups', 'timestamps'],
  maxBufferSize: 4 * 2 ** 30,
  maxStorageBufferBindingSize: 2 ** 31,
  gflops: 2100,
  matmulVariant: 'tiled 64×64',
  preset: 'micro',
};

/** Matrices of an experiment, as the worker plans them. */
export const matricesOf = (experiment: Experiment): MatrixPlan[] => planMatrices(experiment, resolveModel(experiment)).map(planOfMatrix);

export function planOf(experiment: Experiment): PlanReport {
  const { model, train } = experiment;
  const parameters = 12 * model.embedDim ** 2 * model.depth;
  const bytes = { weights: parameters * 4, optimizer: parameters * 8, activations: train.batchSize * 3e5, q3r: parameters, data: 6.7e7 };
  const stepsPerEpoch = Math.floor(20_000 / train.batchSize);
  return {
    parameters,
    bytes: { ...bytes, total: Object.values(bytes).reduce((a, b) => a + b), truncation: 0 },
    activations: { kept: bytes.activations, recomputed: bytes.activations / 4, f32: bytes.activations, mixed: bytes.activations / 2 },
    matrices: matricesOf(experiment),
    stepsPerEpoch,
    secondsPerEpoch: 0.02 * stepsPerEpoch,
  };
}

/** What a worker answers to a page that opens, whatever the experiment. */
export const opening: Handlers = {
  init: () => device,
  plan: ({ experiment }) => planOf(experiment),
  configure: ({ experiment }) => planOf(experiment),
  pause: () => undefined,
  view: () => undefined,
  warm: () => undefined,
  checkpoints: () => [],
  samples: () => ({ width: 1, height: 1, images: [new Uint8ClampedArray(4)], labels: [0] }),
};

/** Smooth made-up spectra: `t` from 0 to 1 of a run. For looking at the page only. */
export function spectraOf(experiment: Experiment, t: number): MatrixSpectrum[] {
  return matricesOf(experiment).map((m, j) => {
    const n = Math.min(m.rows, m.cols);
    const wobble = 0.8 + 0.4 * Math.abs(Math.sin(j * 12.9));
    const sigma = Float32Array.from({ length: n }, (_, i) => {
      const head = wobble * (0.5 + 3 * t) * Math.exp((-4 * i) / n) + 0.25 * (1 - i / n);
      const past = i - m.targetRank;
      const push = m.regularized && past >= 0 ? Math.exp(-t * (3 + wobble * 2) * Math.min(1, (past + 1) / 3) - past * 0.01 * t) : 1;
      return head * push;
    });
    const total = sigma.reduce((a, s) => a + s, 0);
    const square = sigma.reduce((a, s) => a + s * s, 0);
    const entropy = -sigma.reduce((a, s) => a + (s / total) * Math.log(s / total), 0);
    const epsilon = sigma[m.targetRank] ?? 0;
    const kept = sigma.slice(0, m.targetRank).reduce((a, s) => a + s * s, 0);
    return {
      ...m,
      sigma,
      epsilon: m.regularized ? epsilon : Number.NaN,
      envelopeRank: m.regularized ? sigma.filter((s) => s > epsilon).length : 0,
      sketch: m.regularized ? Math.min(n, m.targetRank + 9) : 0,
      residual: 2.1e-4,
      effectiveRank: Math.exp(entropy),
      stableRank: square / (sigma[0] ?? 1) ** 2,
      tailRatio: kept / square,
      value: m.regularized ? experiment.method.lambda * sigma.reduce((a, s) => a + Math.min(s, epsilon) ** 2, 0) : 0,
    };
  });
}

export function seriesOf(runId: number, step: number): Series {
  const n = Math.min(300, step);
  const steps = Float64Array.from({ length: n }, (_, i) => Math.round(((i + 1) / n) * step));
  const map = (f: (s: number, i: number) => number) => Float32Array.from(steps, f);
  const noise = (i: number) => 0.12 * Math.sin(i * 7.3) * Math.cos(i * 2.1);
  const loss = (s: number) => 0.5 + 1.8 * Math.exp(-s / 400);
  const evalStep = Float64Array.from({ length: Math.floor(step / 100) }, (_, i) => (i + 1) * 100);
  return {
    runId,
    step: steps,
    loss: map((s, i) => loss(s) + noise(i)),
    lossMin: map((s) => loss(s) - 0.15),
    lossMax: map((s) => loss(s) + 0.15),
    lossSmooth: map(loss),
    accuracySmooth: map((s) => 0.1 + 0.75 * (1 - Math.exp(-s / 500))),
    regularizer: map((s) => 0.5 * Math.exp(-s / 900)),
    lr: map((s) => 1e-3 * (1 - s / 4000)),
    evalStep,
    evalLoss: Float32Array.from(evalStep, (s) => loss(s) + 0.08),
    evalAccuracy: Float32Array.from(evalStep, (s) => 0.1 + 0.7 * (1 - Math.exp(-s / 520))),
  };
}

/** A worker without a GPU: answers what its handlers say, and records what it was asked. */
export class FakeWorker implements WorkerLike {
  readonly asked: Command[] = [];
  terminated = false;
  private readonly target = new EventTarget();

  constructor(readonly handlers: Handlers = {}) {}

  postMessage(message: unknown, transfer: Transferable[]): void {
    const command = structuredClone(message, { transfer }) as Command;
    this.asked.push(command);
    const handler = this.handlers[command.type] as ((args: unknown) => unknown) | undefined;
    // A command without a handler stays unanswered, as from a worker that hangs.
    if (!handler) return;
    void (async () => {
      try {
        this.emit({ type: 'reply', id: command.id, ok: true, value: await handler(command) });
      } catch (error) {
        const { name, message, field, fault } = error as Error & { field?: string; fault?: Fault };
        this.emit({ type: 'reply', id: command.id, ok: false, error: { name, message, ...(field && { field }), ...(fault && { fault }) } });
      }
    })();
  }
  terminate(): void {
    this.terminated = true;
  }
  addEventListener(type: string, listener: (event: never) => void): void {
    this.target.addEventListener(type, listener as EventListener);
  }
  emit(data: Event): void {
    this.target.dispatchEvent(new MessageEvent('message', { data }));
  }
  crash(message: string): void {
    this.target.dispatchEvent(new ErrorEvent('error', { message }));
  }
  garble(): void {
    this.target.dispatchEvent(new MessageEvent('messageerror'));
  }
  /** Types of the commands asked so far. */
  get types(): CommandType[] {
    return this.asked.map((command) => command.type);
  }
}
