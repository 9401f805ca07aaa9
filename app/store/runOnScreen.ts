import { fieldAt, type Experiment } from '../protocol/experiment';
import type { RunRecord } from '../protocol/run/record';
import { onScreen } from './memory';
import { getState } from './store';

/** "AdamQ3R, λ 0.01" */
export function methodWords({ method }: Experiment): string {
  const field = fieldAt('method.name');
  const label = field?.kind === 'choice' ? field.options.find((option) => option.value === method.name)?.label : undefined;
  const name = label ?? method.name;
  if (method.name === 'adamw') return name;
  return method.name === 'lora' ? `${name}, rank ${method.loraRank}` : `${name}, λ ${method.lambda}`;
}

/** The worker's run on screen with all that is kept of it; null before its first step. */
export function runOnScreen(): RunRecord | null {
  const { running, step, replay, device, series, loaded, plan, evaluation } = getState();
  const { phase, totalSteps, elapsedMs, marks, curves } = getState();
  if (!running || replay || step === 0) return null;
  const { records, frames, clock } = onScreen;
  const count = evaluation?.count ?? 0;
  const trainCount = loaded[running.dataset]?.trainCount ?? (plan ? plan.stepsPerEpoch * running.train.batchSize : 0);
  return {
    id: crypto.randomUUID(),
    name: methodWords(running),
    date: Math.round(Date.now() - elapsedMs),
    origin: { device: device?.name ?? 'unknown', software: device?.software ?? false, version: __APP_VERSION__, trainCount },
    ...{ experiment: running, parent: null, phase, step, totalSteps, elapsedMs, marks, curves },
    rows: records.packed(),
    clock: clock.packed(),
    evaluations: Array.from(series?.evalStep ?? [], (at, i) => ({
      ...{ step: at, loss: series!.evalLoss[i]!, accuracy: series!.evalAccuracy[i]!, count },
    })),
    frames: frames.all(),
  };
}
