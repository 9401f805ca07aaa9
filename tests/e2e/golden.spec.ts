import { expect, test } from '@playwright/test';
import { watchConsole } from '../support/page';
import { expectWithin, NOTHING_AHEAD, openPlayground, type Miss } from '../support/playground';

test('the golden cases pass through window.q3r', async ({ page }) => {
  const watch = watchConsole(page);
  await openPlayground(page, NOTHING_AHEAD);

  await test.step('the golden operator cases pass through window.q3r.linalg', async () => {
    const results = await page.evaluate(async () => {
      const { q3r, golden } = window;
      const { cases } = await golden.manifest();
      const tensors = await golden.tensors('q3r_operator.safetensors');
      const out: Miss[] = [];
      for (const { id, kind, params, expected, scalars = {} } of cases) {
        if (kind !== 'q3r-operator') continue;
        const [rows, cols] = params.shape as [number, number];
        const options = {
          targetRank: params.target_rank as number,
          lambda: params.lambda as number,
          epsilon: params.eps_start as number,
          epsilonSchedule: params.schedule as 'default',
          epsilonN: params.N as number,
        };
        const w = { data: tensors[`${id}.W`]!.data as Float32Array, rows, cols };
        const own = await q3r.linalg.q3r(w, options);
        const check = (what: string, got: ArrayLike<number>): void => {
          const tolerance = expected[`${id}.${what}`];
          if (tolerance)
            out.push({ what: `${id}.${what}`, error: golden.maxError(got, tensors[`${id}.${what}`]!.data), atol: tolerance.atol });
        };
        const scalar = (what: string, got: number): void => {
          const s = scalars[what];
          if (s?.atol !== undefined) out.push({ what: `${id}.${what}`, error: Math.abs(got - s.value), atol: s.atol });
          if (s?.accept) out.push({ what: `${id}.${what}`, error: got >= s.accept[0] && got <= s.accept[1] ? 0 : Infinity, atol: 0 });
        };
        check('sigma', own.sigma);
        check('grad_W', own.gradient);
        scalar('eps', own.epsilon);
        scalar('r_env', own.envelopeRank);
        scalar('value_W', own.value);
        const x = tensors[`${id}.X`];
        if (x) {
          const other = await q3r.linalg.q3r(w, { ...options, x: { data: x.data as Float32Array, rows, cols } });
          check('grad_X', other.gradient);
          scalar('value_X', other.value);
        }
      }
      return out;
    });
    expect(results.length).toBeGreaterThan(100);
    expectWithin(results);
  });

  await test.step('the golden factorized layers and Hoyer measures pass through window.q3r.linalg', async () => {
    const results = await page.evaluate(async () => {
      const { q3r, golden } = window;
      const { cases } = await golden.manifest();
      const tensors = await golden.tensors('factorized.safetensors');
      const out: Miss[] = [];
      const matrix = (name: string) => {
        const { data, shape } = tensors[name]!;
        return { data: data as Float32Array, rows: shape[0]!, cols: shape[1]! };
      };
      for (const { id, kind, params: p, expected, scalars = {} } of cases) {
        const check = (what: string, got: ArrayLike<number>): void => {
          const name = `${id}.${what}`;
          out.push({ what: name, error: golden.maxError(got, tensors[name]!.data), atol: expected[name]!.atol });
        };
        if (kind === 'hoyer')
          for (const [square, name] of [
            [false, 'hoyer'],
            [true, 'hoyer_square'],
          ] as const) {
            const { value, gradient } = await q3r.linalg.hoyer(matrix(`${id}.W`), { square });
            check(`grad_${name}`, gradient);
            out.push({ what: `${id}.${name}`, error: Math.abs(value - scalars[name]!.value), atol: scalars[name]!.atol! });
          }
        if (kind === 'lora') {
          const [x, a, b, gradOut] = ['x', 'A', 'B', 'G'].map((name) => matrix(`${id}.${name}`));
          const got = await q3r.linalg.lora({ x: x!, a: a!, b: b!, alpha: p.alpha, gradOut: gradOut! });
          check('y', got.y);
          check('dx', got.dx);
          check('dA', got.dA);
          check('dB', got.dB);
        }
        if (kind === 'lorita') {
          const x = matrix(`${id}.x`);
          const all = matrix(`${id}.G`);
          const widths = p.out_features as number[];
          const y = new Float32Array(x.rows * all.cols);
          const dx = new Float32Array(x.data.length);
          let column = 0;
          for (const [i, width] of widths.entries()) {
            const part = widths.length > 1 ? `part${i}.` : '';
            const gradOut = { data: new Float32Array(x.rows * width), rows: x.rows, cols: width };
            for (let r = 0; r < x.rows; r++)
              gradOut.data.set(all.data.subarray(r * all.cols + column, r * all.cols + column + width), r * width);
            const factors = Array.from({ length: p.N as number }, (_, j) => matrix(`${id}.${part}W${j + 1}`));
            const got = await q3r.linalg.lorita({ x, factors, bias: tensors[`${id}.${part}bias`]!.data as Float32Array, gradOut });
            check(`${part}merged`, got.merged);
            check(`${part}dbias`, got.dBias);
            got.dFactors.forEach((d, j) => check(`${part}dW${j + 1}`, d));
            for (let r = 0; r < x.rows; r++) y.set(got.y.subarray(r * width, (r + 1) * width), r * all.cols + column);
            for (let j = 0; j < dx.length; j++) dx[j]! += got.dx[j]!;
            column += width;
          }
          check('y', y);
          check('dx', dx);
        }
      }
      return out;
    });
    // Every expectation of the file.
    expect(results.length).toBe(56);
    expectWithin(results);
  });

  await test.step('logits, loss and every gradient of the golden transformers match through window.q3r', async () => {
    const results = await page.evaluate(async () => {
      const { q3r, golden } = window;
      const { cases } = await golden.manifest();
      const tensors = await golden.tensors('vit.safetensors');
      const out: Miss[] = [];
      for (const { id, kind, params: p, expected, scalars } of cases) {
        if (kind !== 'vit') continue;
        await q3r.configure({
          dataset: 'shapes',
          model: golden.modelOf(p),
          train: { batchSize: p.batch, labelSmoothing: p.label_smoothing },
        });
        const prefix = `${id}.param.`;
        const weights = Object.fromEntries(
          Object.entries(tensors).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])),
        );
        await q3r.importWeights(golden.write(weights));
        const images = tensors[`${id}.images`]!.data as Float32Array;
        const labels = tensors[`${id}.labels`]!.data as Int32Array;
        const got = golden.parse((await q3r.gradients({ images, labels })).buffer as ArrayBuffer);
        for (const [name, { atol }] of Object.entries(expected)) {
          const key = name.slice(id.length + 1).replace(/^grad\./, 'grads.');
          const tensor = got[key];
          if (tensor) out.push({ what: name, error: golden.maxError(tensor.data, tensors[name]!.data), atol });
        }
        out.push({ what: `${id}.loss`, error: Math.abs(got.loss!.data[0]! - scalars!.loss!.value), atol: scalars!.loss!.atol! });
        const logits = await q3r.predict(images);
        out.push({
          what: `${id}.predict`,
          error: golden.maxError(logits, tensors[`${id}.logits`]!.data),
          atol: expected[`${id}.logits`]!.atol,
        });
      }
      return out;
    });
    expect(results.length).toBeGreaterThan(50);
    expectWithin(results);
  });

  await test.step('twenty golden training steps match through window.q3r, AdamW and AdamQ3R', async () => {
    const results = await page.evaluate(async () => {
      const { q3r, golden } = window;
      const { cases } = await golden.manifest();
      const tensors = await golden.tensors('vit_train.safetensors');
      const out: Miss[] = [];
      const start = Object.fromEntries(
        Object.entries(tensors).flatMap(([name, t]) => (name.startsWith('start.') ? [[name.slice(6), t]] : [])),
      );
      const images = tensors['batches.images']!;
      const labels = tensors['batches.labels']!;
      for (const { id, kind, params: p, expected } of cases) {
        if (kind !== 'vit-train') continue;
        await q3r.configure({
          dataset: 'shapes',
          model: golden.modelOf(p),
          train: {
            batchSize: p.batch,
            steps: 1000,
            lr: p.lr,
            lrSchedule: 'constant',
            warmupSteps: 0,
            beta1: p.betas[0],
            beta2: p.betas[1],
            adamEps: p.adam_eps,
            weightDecay: p.weight_decay ?? 0,
            gradClip: 0,
            labelSmoothing: 0,
            augment: 'none',
          },
          method:
            p.optimizer === 'adamq3r'
              ? {
                  name: 'adamq3r',
                  targetRank: p.target_rank_spec,
                  rankRule: 'max',
                  lambda: p.lambda,
                  reweightEvery: p.steps,
                  epsilonSchedule: p.schedule,
                  targetModules: ['qkv', 'proj', 'fc1', 'fc2'],
                  fuseQkv: false,
                  svd: 'exact',
                }
              : { name: 'adamw' },
        });
        await q3r.importWeights(golden.write(start));
        const losses: number[] = [];
        const values: number[] = [];
        const perBatch = images.data.length / 5;
        for (let t = 0; t < p.training_steps; t++) {
          const b = t % 5;
          const record = await q3r.trainOn({
            images: images.data.slice(b * perBatch, (b + 1) * perBatch) as Float32Array,
            labels: labels.data.slice(b * p.batch, (b + 1) * p.batch) as Int32Array,
          });
          losses.push(record.loss);
          values.push(record.regularizer);
        }
        const final = golden.parse((await q3r.exportWeights()).buffer as ArrayBuffer);
        const spectra = await q3r.spectra();
        for (const [name, tolerance] of Object.entries(expected)) {
          const key = name.slice(id.length + 1);
          const want = tensors[name]!.data;
          if (key === 'loss') out.push({ what: name, error: golden.maxError(losses, want), atol: tolerance.atol });
          else if (key === 'reg_value') out.push({ what: name, error: golden.maxError(values, want), atol: tolerance.atol });
          else if (key === 'eps') {
            // The last refresh: one row of the log per refresh, one column per block of the golden list.
            const blocks = p.blocks as string[];
            const row = want.slice(want.length - blocks.length);
            const got = blocks.map((block) => spectra.find((s) => s.name === block)?.epsilon ?? NaN);
            out.push({ what: name, error: golden.maxError(got, row), atol: tolerance.atol });
          } else if (key.startsWith('final_sigma.')) {
            const sigma = spectra.find((s) => s.name === key.slice(12))?.sigma ?? [];
            out.push({ what: name, error: golden.maxError(sigma, want), atol: tolerance.atol });
          } else if (key.startsWith('final.')) {
            const got = final[key.slice(6)];
            if (!got) {
              out.push({ what: name, error: Infinity, atol: 0 });
              continue;
            }
            const [from, to] = tolerance.skip_rows ?? [0, 0];
            const rowLength = got.data.length / got.shape[0]!;
            let sum = 0;
            let count = 0;
            for (let i = 0; i < want.length; i++) {
              const row = Math.floor(i / rowLength);
              if (row >= from && row < to) continue;
              sum += (got.data[i]! - want[i]!) ** 2;
              count++;
            }
            out.push({ what: name, error: Math.sqrt(sum / count), atol: tolerance.atol_rms ?? tolerance.atol });
          }
        }
      }
      return out;
    });
    expect(results.length).toBeGreaterThan(100);
    expectWithin(results);
  });

  await test.step('the golden truncations match through window.q3r, with and without the layers’ biases', async () => {
    const results = await page.evaluate(async () => {
      const { q3r, golden } = window;
      const { cases } = await golden.manifest();
      const tensors = await golden.tensors('truncation.safetensors');
      const out: Miss[] = [];
      for (const spec of cases) {
        if (spec.kind !== 'truncation') continue;
        const { params: p, expected } = spec;
        const { ranks, stored_parameters: stored } = spec as unknown as {
          ranks: Record<string, number[]>;
          stored_parameters: Record<string, number>;
        };
        await q3r.configure({
          dataset: 'shapes',
          model: golden.modelOf(p),
          train: { batchSize: p.batch, evalCount: 16 },
          method: { name: 'adamw' },
        });
        const prefix = 'truncation.param.';
        const images = tensors['truncation.images']!.data as Float32Array;
        for (const kind of ['logits', 'logits_nobias']) {
          const weights = Object.fromEntries(
            Object.entries(tensors).flatMap(([name, { shape, data }]) => {
              if (!name.startsWith(prefix)) return [];
              const zero = kind === 'logits_nobias' && /blocks.*(qkv|proj|fc1|fc2)\.bias$/.test(name);
              return [[name.slice(prefix.length), { shape, data: zero ? data.map(() => 0) : data }]];
            }),
          );
          await q3r.importWeights(golden.write(weights));
          for (const fraction of p.fractions as number[]) {
            const what = `truncation.${kind}.p${fraction}`;
            const logits = await q3r.predict(images, { fraction });
            out.push({ what, error: golden.maxError(logits, tensors[what]!.data), atol: expected[what]!.atol });
          }
        }
        const cuts = await q3r.truncate(p.fractions as number[], { count: 16 });
        for (const cut of cuts) {
          out.push({ what: `ranks at ${cut.fraction}`, error: golden.maxError(cut.ranks, ranks[cut.fraction]!), atol: 0 });
          out.push({ what: `stored at ${cut.fraction}`, error: Math.abs(cut.stored - stored[cut.fraction]!), atol: 0 });
          out.push({ what: 'matrices', error: cut.matrices.join() === (p.blocks as string[]).join() ? 0 : 1, atol: 0 });
        }
      }
      return out;
    });
    expect(results.length).toBeGreaterThan(40);
    expectWithin(results);
  });
  watch.expectQuiet();
});
