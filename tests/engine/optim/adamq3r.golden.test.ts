import { afterEach, expect, test } from 'vitest';
import { Adam } from '../../../app/engine/optim/adam';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { Q3rRegularizer } from '../../../app/engine/regularizers/q3r/regularizer';
import { goldenArena } from '../../support/goldenArena';
import { goldenCases } from '../../support/golden';
import { maxError, useGpu } from '../../support/gpu';
import { stepState } from '../../support/stepState';

const gpu = useGpu();
afterEach(() => {
  gpu().buffers.freeAll();
});

interface Settings {
  lr: number;
  betas: [number, number];
  adam_eps: number;
  stored_steps: number[];
  lambda: number;
  /** Reweighting period. */
  steps: number;
  schedule: 'default' | 'linear' | 'constant' | 'exploration';
  N: number;
  /** Name, first row, end row, target rank. */
  blocks: [string, number, number, number][];
}

test.each(['run_default', 'run_linear', 'run_exploration', 'run_constant', 'run_fused', 'run_weak'])(
  'AdamQ3R %s: weights, ε, envelope ranks and values of 50 prescribed gradients',
  async (id) => {
    const g = gpu();
    const { spec, tensors } = (await goldenCases('adamq3r')).find((c) => c.spec.id === id)!;
    const { lr, betas, adam_eps, stored_steps, lambda, steps: period, schedule, N, blocks } = spec.params as Settings;
    const arena = goldenArena(g, tensors);
    const { params, grads, guard } = arena;
    const state = stepState(g, { lr, beta1: betas[0], beta2: betas[1], adamEps: adam_eps, lambda });
    const q3r = new Q3rRegularizer(g, {
      matrices: blocks.map(([name, from, to, targetRank]) => {
        const place = arena.places.find((p) => p.name === name)!;
        const offset = place.offset + from * place.cols;
        return { name: `${name}[${from}]`, offset, rows: to - from, cols: place.cols, targetRank };
      }),
      params,
      svd: 'exact',
      oversample: 8,
      powerIterations: 1,
      epsilonSchedule: schedule,
      epsilonN: N,
      seed: 1,
    });
    await q3r.build();
    const value = g.buffers.allocate('value', 16);
    const adam = new Adam(g, { elements: arena.elements });
    const rec = new Recorder(g, id);
    adam.recordUpdate(rec, { params, grads, state: state.view, guard }, (out) =>
      q3r.recordApply(rec, { state: state.view, out, mode: 'add', value }),
    );
    const program = await rec.build();

    const eps: number[] = [];
    const envelope: number[] = [];
    const values: number[] = [];
    let status: Awaited<ReturnType<Q3rRegularizer['refresh']>> | undefined;
    for (let t = 1; t <= arena.steps; t++) {
      if ((t - 1) % period === 0) {
        status = await q3r.refresh(status);
        eps.push(...status.map((s) => s.epsilon));
        envelope.push(...status.map((s) => s.envelope));
      }
      arena.prescribe(t);
      state.write({ step: t });
      program.run();
      values.push((await g.readFloats(value))[0]!);
      if (!stored_steps.includes(t)) continue;
      for (const { key, error, atol } of await arena.errors(spec, t)) expect(error, key).toBeLessThanOrEqual(atol);
    }
    expect(maxError(eps, arena.get(`${id}.eps`).data), 'ε').toBeLessThanOrEqual(spec.expected[`${id}.eps`]!.atol);
    expect(maxError(values, arena.get(`${id}.reg_value`).data), 'value').toBeLessThanOrEqual(spec.expected[`${id}.reg_value`]!.atol);
    // Rounding may move a σ across ε; the file says how far the count may then lie off.
    const [low, high] = [arena.get(`${id}.r_env_lo`).data, arena.get(`${id}.r_env_hi`).data];
    envelope.forEach((r, i) => {
      expect(r, `envelope rank ${i}`).toBeGreaterThanOrEqual(low[i]!);
      expect(r, `envelope rank ${i}`).toBeLessThanOrEqual(high[i]!);
    });
    expect(envelope.length).toBe(low.length);
    program.dispose();
    q3r.dispose();
    adam.dispose();
  },
);
