import { describe, expect, test } from 'vitest';
import { slice } from '../../../app/engine/gpu/buffers';
import { Recorder } from '../../../app/engine/gpu/recorder';
import { VitModel } from '../../../app/engine/model/vit';
import type { VitConfig } from '../../../app/engine/model/parameters';
import { defaultMatmulTuning } from '../../../app/engine/ops/matmul';
import { goldenCases } from '../../support/golden';
import { maxError, useGpu } from '../../support/gpu';

const gpu = useGpu();

/** Runs one golden case; the arena holds the case's parameters by name. */
async function runCase(id: string, allTokens: boolean) {
  const g = gpu();
  const { spec, tensors } = (await goldenCases('vit')).find((c) => c.spec.id === id)!;
  const p = spec.params as Record<string, number>;
  const config: VitConfig = {
    imageSize: p.image!,
    inChannels: p.channels!,
    numClasses: p.classes!,
    patchSize: p.patch!,
    embedDim: p.dim!,
    depth: p.depth!,
    numHeads: p.heads!,
    mlpRatio: p.mlp_ratio!,
  };
  const tensor = (name: string) => {
    const found = tensors.get(`${id}.${name}`);
    if (!found) throw new Error(`${id}.${name} is not in the golden file`);
    return found;
  };
  const tuning = defaultMatmulTuning(g.info);
  const model = new VitModel(g, { config, batch: p.batch!, tuning, training: true, allTokens });
  const { table } = model;
  const arena = new Float32Array(table.total);
  for (const { name, shape, offset } of table.entries) {
    const { data, shape: want } = tensor(`param.${name}`);
    expect(shape).toEqual(want);
    arena.set(data, offset);
  }
  const params = g.upload('params', arena);
  const grads = g.buffers.allocate('grads', table.total * 4);
  g.write(model.images, tensor('images').data);
  g.write(model.labels, tensor('labels').data);
  const recorder = new Recorder(g, id);
  model.recordForward(recorder.setPhase('forward'), params);
  model.recordLoss(recorder, p.label_smoothing!);
  model.recordBackward(recorder.setPhase('backward'), params, grads);
  const program = await recorder.build();
  program.run();
  const first = await g.readFloats(grads);
  const dispose = () => {
    program.dispose();
    model.dispose();
    g.buffers.free(params);
    g.buffers.free(grads);
  };
  return { g, spec, model, table, tensor, program, grads, first, dispose };
}

for (const id of ['vit_p8', 'vit_p4'])
  for (const allTokens of [false, true])
    describe(`${id}, last block for ${allTokens ? 'all tokens' : 'the class token'}`, () => {
      test('loss, logits, activations and every gradient match PyTorch within the golden tolerances', async () => {
        const { g, spec, model, table, tensor, program, grads, first, dispose } = await runCase(id, allTokens);
        const { depth, heads, tokens, dim } = spec.params as { depth: number; heads: number; tokens: number; dim: number };
        // Each value over its tolerance; tests/golden/README.md says where the tolerances come from.
        const ratios: Record<string, number> = {};
        const check = (name: string, got: ArrayLike<number>) => {
          ratios[name] = maxError(got, tensor(name).data) / spec.expected[`${id}.${name}`]!.atol;
        };
        check('logits', await g.readFloats(model.logits));
        check('act.embed', await g.readFloats(model.tap('embed')));
        check('act.features', await g.readFloats(model.tap('features')));
        for (let i = 0; i < depth; i++) {
          const full = allTokens || i < depth - 1;
          if (full) check(`act.blocks.${i}.out`, await g.readFloats(model.tap(`blocks.${i}.out`)));
          // The weights themselves are never stored: exp(S − lse) must give them back.
          const qkv = await g.readFloats(model.tap(`blocks.${i}.qkv`));
          const lse = await g.readFloats(model.tap(`blocks.${i}.lse`));
          const want = tensor(`act.blocks.${i}.attn`);
          const queries = full ? tokens : 1;
          let worst = 0;
          const size = dim / heads;
          for (let bh = 0; bh < lse.length / queries; bh++)
            for (let q = 0; q < queries; q++)
              for (let k = 0; k < tokens; k++) {
                const base = Math.floor(bh / heads) * tokens * 3 * dim + (bh % heads) * size;
                let s = 0;
                for (let d = 0; d < size; d++) s += qkv[base + q * 3 * dim + d]! * qkv[base + k * 3 * dim + dim + d]!;
                const got = Math.exp(s / Math.sqrt(size) - lse[bh * queries + q]!);
                worst = Math.max(worst, Math.abs(got - want.data[(bh * tokens + q) * tokens + k]!));
              }
          ratios[`act.blocks.${i}.attn`] = worst / spec.expected[`${id}.act.blocks.${i}.attn`]!.atol;
        }
        const losses = await g.readFloats(model.losses);
        const loss = spec.scalars!.loss!;
        ratios.loss = Math.abs(losses.reduce((a, b) => a + b, 0) / losses.length - loss.value) / loss.atol!;
        for (const { name, offset, length } of table.entries) check(`grad.${name}`, first.subarray(offset, offset + length));
        const worst = Object.entries(ratios).sort((a, b) => b[1] - a[1]);
        console.log(
          `${id}: largest error over tolerance ${worst
            .slice(0, 3)
            .map(([n, r]) => `${n} ${r.toFixed(3)}`)
            .join(', ')}`,
        );
        expect(Object.fromEntries(worst.filter(([, ratio]) => !(ratio <= 1)))).toEqual({});

        // Padding is never written, and a second run gives the same bits.
        const known = new Uint8Array(table.total);
        for (const { offset, length } of table.entries) known.fill(1, offset, offset + length);
        expect(first.every((value, i) => known[i] === 1 || value === 0)).toBe(true);
        program.run();
        expect(new Uint32Array(await g.read(slice(grads, 0, table.total)))).toEqual(new Uint32Array(first.buffer));
        dispose();
        expect(g.buffers.liveBytes).toBe(0);
      });
    });
