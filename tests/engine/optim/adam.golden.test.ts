import { expect, test } from 'vitest';
import { Adam } from '../../../app/engine/optim/adam';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { goldenArena } from '../../support/goldenArena';
import { goldenCases } from '../../support/golden';
import { useGpu } from '../../support/gpu';
import { stepState } from '../../support/stepState';

const gpu = useGpu();

interface Settings {
  lr: number;
  betas: [number, number];
  adam_eps: number;
  weight_decay: number;
  stored_steps: number[];
}

test('AdamW with decay follows the reference over 50 prescribed gradients', async () => {
  const g = gpu();
  const cases = await goldenCases('adamw');
  expect(cases.map((c) => c.spec.id)).toEqual(['run_adamw']);
  for (const { spec, tensors } of cases) {
    const { lr, betas, adam_eps, weight_decay, stored_steps } = spec.params as Settings;
    const arena = goldenArena(g, tensors);
    const state = stepState(g, { lr, beta1: betas[0], beta2: betas[1], adamEps: adam_eps, weightDecay: weight_decay });
    const adam = new Adam(g, { elements: arena.elements });
    const rec = new Recorder(g, spec.id);
    adam.recordUpdate(rec, { params: arena.params, grads: arena.grads, state: state.view, guard: arena.guard });
    const program = await rec.build();
    const seen: string[] = [];
    for (let t = 1; t <= arena.steps; t++) {
      arena.prescribe(t);
      state.write({ step: t });
      program.run();
      if (!stored_steps.includes(t)) continue;
      for (const { key, error, atol } of await arena.errors(spec, t)) {
        expect(error, key).toBeLessThanOrEqual(atol);
        seen.push(key);
      }
    }
    expect(seen.sort()).toEqual(Object.keys(spec.expected).sort());
    program.dispose();
    g.buffers.freeAll();
  }
});
