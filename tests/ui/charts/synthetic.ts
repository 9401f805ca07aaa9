import type { MatrixKind, MatrixSpectrum, Series } from '../../../app/protocol/messages';
import { xScale, type XScale, type XScaleInput } from '../../../app/ui/charts/axis';
import type { RunCurve } from '../../../app/ui/charts/curves';

/** Small repeatable generator (mulberry32), in [0, 1). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ramp = (x: number) => {
  const t = Math.min(1, Math.max(0, x));
  return t * t * (3 - 2 * t);
};

export interface SpectraOptions {
  blocks: number;
  width: number;
  /** 0 at the start of a run, 1 at its end. */
  progress: number;
  dense: boolean;
  fused?: boolean;
  /** Adds head and patch embedding, which Q3R leaves alone. */
  extras?: boolean;
  share?: number;
}

/** A spectrum with the figures the worker would send, computed from σ. */
export function spectrumOf(
  plan: Pick<MatrixSpectrum, 'name' | 'block' | 'kind' | 'rows' | 'cols' | 'targetRank' | 'regularized'>,
  sigma: Float32Array,
  lambda = 0.01,
): MatrixSpectrum {
  const total = sigma.reduce((a, s) => a + s, 0);
  const energy = sigma.reduce((a, s) => a + s * s, 0);
  const head = sigma.slice(0, plan.targetRank).reduce((a, s) => a + s * s, 0);
  const entropy = sigma.reduce((a, s) => a - (s > 0 ? (s / total) * Math.log(s / total) : 0), 0);
  const epsilon = plan.regularized ? sigma[plan.targetRank]! : NaN;
  return {
    ...plan,
    sigma,
    epsilon,
    envelopeRank: plan.regularized ? sigma.filter((s) => s > epsilon).length : 0,
    sketch: plan.regularized ? Math.min(sigma.length, plan.targetRank + 16) : 0,
    residual: plan.regularized ? 2.1e-4 : 0,
    effectiveRank: Math.exp(entropy),
    stableRank: energy / sigma[0]! ** 2,
    tailRatio: head / energy,
    value: plan.regularized ? lambda * sigma.reduce((a, s) => a + Math.min(s, epsilon) ** 2, 0) : 0,
  };
}

/** Invented but plausible spectra of a Vision Transformer: flat at the start, a falling tail under Q3R. */
export function spectra({ blocks, width, progress, dense, fused, extras, share = 0.2 }: SpectraOptions): MatrixSpectrum[] {
  const out: MatrixSpectrum[] = [];
  const add = (name: string, block: number, kind: MatrixKind, rows: number, cols: number, free = false) => {
    const n = Math.min(rows, cols);
    const seed = random(out.length * 97 + 5);
    const targetRank = Math.max(1, Math.floor(share * n));
    const height = 2.4 * (0.75 + 0.6 * seed()) * Math.sqrt(width / 192);
    const length = n * (0.05 + 0.08 * seed());
    const grown = ramp(progress * 2.6);
    const pressed =
      dense || free ? 0 : 5.2 * ramp((progress - 0.15 - 0.25 * (block / Math.max(1, blocks))) / 0.4) + 0.4 * ramp(progress * 4);
    const sigma = Float32Array.from({ length: n }, (_, i) => {
      const q = (i + 0.5) / n;
      const start = rows === cols ? 0.004 + 0.5 * (1 - q) ** 1.1 : 0.24 + 0.45 * (1 - q) ** 1.3;
      const s = start * (1 + 0.9 * grown) + grown * height * (0.78 * Math.exp(-i / length) + 0.22 * Math.exp(-i / (5 * length)));
      const past = 1 / (1 + Math.exp(-((i - targetRank - 1) / Math.max(0.7, n / 110))));
      return s * Math.exp(-pressed * past * (1 + 0.4 * q)) * (1 + 0.02 * (seed() - 0.5));
    }).sort((a, b) => b - a);
    out.push(spectrumOf({ name, block, kind, rows, cols, targetRank, regularized: !dense && !free }, sigma));
  };
  if (extras) add('patch_embed.proj.weight', -1, 'patch_embed', width, 48, true);
  for (let b = 0; b < blocks; b++) {
    if (fused) add(`blocks.${b}.attn.qkv.weight`, b, 'qkv', 3 * width, width);
    else (['q', 'k', 'v'] as const).forEach((kind, i) => add(`blocks.${b}.attn.qkv.weight[${i}]`, b, kind, width, width));
    add(`blocks.${b}.attn.proj.weight`, b, 'proj', width, width);
    add(`blocks.${b}.mlp.fc1.weight`, b, 'fc1', 4 * width, width);
    add(`blocks.${b}.mlp.fc2.weight`, b, 'fc2', width, 4 * width);
  }
  if (extras) add('head.weight', -1, 'head', 10, width, true);
  return out;
}

/** An invented run of `steps` steps, decimated to 400 points, with an evaluation every `evalEvery`. */
export function series(steps: number, totalSteps: number, seed = 3, dense = false, evalEvery = 391): Series {
  const noise = random(seed);
  const n = Math.min(400, steps);
  const at = Float64Array.from({ length: n }, (_, i) => Math.round(((i + 1) / n) * steps));
  const mean = (step: number) => {
    const t = step / totalSteps;
    return 0.42 + 0.95 * Math.exp(-t * 22) + 0.92 * Math.exp(-t * 3.6) + (dense ? -0.06 : 0);
  };
  const learned = (step: number) =>
    0.1 + 0.3 * (1 - Math.exp((-step / totalSteps) * 26)) + 0.397 * (1 - Math.exp((-step / totalSteps) * 5));
  const loss = Float32Array.from(at, (s) => mean(s) + (noise() + noise() + noise() - 1.5) * 0.25);
  let average = 0;
  let weight = 0;
  const lossSmooth = loss.map((v) => {
    average = 0.86 * average + 0.14 * v;
    weight = 0.86 * weight + 0.14;
    return average / weight;
  });
  const spread = steps > n * 1.5 ? 0.3 : 0;
  const evalStep = Float64Array.from({ length: Math.floor(steps / evalEvery) }, (_, i) => (i + 1) * evalEvery);
  return {
    runId: 1,
    step: at,
    loss,
    lossMin: loss.map((v) => v - spread * noise()),
    lossMax: loss.map((v) => v + spread * noise()),
    lossSmooth,
    accuracySmooth: Float32Array.from(at, (s) => learned(s) + 0.05 * ramp((s / totalSteps) * 2) + 0.006 * Math.sin(s / 300)),
    regularizer: Float32Array.from(at, (s) => (dense ? 0 : 3.4 * Math.exp((-s / totalSteps) * 4) + 0.05 * noise())),
    lr: Float32Array.from(at, (s) => 4e-4 * Math.min(1, s / (0.05 * totalSteps)) * 0.5 * (1 + Math.cos((Math.PI * s) / totalSteps))),
    evalStep,
    evalLoss: Float32Array.from(evalStep, (s) => mean(s) + 0.05),
    evalAccuracy: Float32Array.from(evalStep, (s) => learned(s) + (noise() - 0.5) * 0.01),
  };
}

/** An axis of steps, or what `given` makes of it. */
export function scaleOf(totalSteps: number, given: Partial<XScaleInput> = {}): XScale {
  const map = { to: (step: number) => step, from: (value: number) => value };
  return xScale({ axis: 'step', log: false, zoom: null, map, step: totalSteps, totalSteps, ends: [], ...given });
}
/** A series as a curve of style 1, or of another run. */
export const curveOf = (s: Series, style = 1, label = style === 1 ? 'AdamQ3R' : 'Dense AdamW'): RunCurve => ({
  key: String(style),
  style,
  label,
  series: s,
  map: { to: (step) => step, from: (value) => value },
});
