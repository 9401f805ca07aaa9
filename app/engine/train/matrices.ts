import { ConfigError, type Experiment, type MatrixOverride, type MethodConfig } from '../../protocol/experiment';
import type { FactorPlan, Mark, MatrixPlan } from '../../protocol/messages';
import { overrideFor, overrideLabel, slicesOf } from '../../protocol/overrides';
import { factorLayout, type FactorLayout } from '../factorization/layout';
import { loraRank } from '../factorization/rank';
import { weightMatrices, type MatrixModule, type WeightMatrix } from '../model/matrices';
import { vitParameters, type VitConfig } from '../model/parameters';
import { TECHNIQUES, type Technique } from '../regularizers/config';
import { targetRank } from '../regularizers/q3r/targetRank';
import type { RegularizedMatrix } from '../regularizers/regularizer';

/** A matrix of the wall with its place in the arena of the weights. */
export interface PlannedMatrix extends MatrixPlan {
  /** First element. */
  readonly offset: number;
  /** The method names it, and no override leaves it out. */
  readonly acted: boolean;
}

/** What a message may carry of it. */
export const planOf = ({ offset: _, acted: __, ...plan }: PlannedMatrix): MatrixPlan => plan;

/** The technique of an experiment; LoRITa of depth 1 is the dense layer. */
export function techniqueOf({ name, loritaDepth }: MethodConfig): Technique {
  const technique = TECHNIQUES[name];
  return technique.factors === 'lorita' && loritaDepth === 1 ? { ...technique, factors: 'none' } : technique;
}

/**
 * Matrices of the wall: all of the blocks, and head and patch embedding where the method targets them. A weight that overrides
 * cut into slices is shown as its slices.
 * @throws ConfigError for a slice or a LoRA rank that does not fit its matrix
 */
export function planMatrices(experiment: Experiment, config: VitConfig): PlannedMatrix[] {
  const { method } = experiment;
  const { overrides } = method;
  const targeted = new Set<MatrixModule>(method.targetModules);
  const out: PlannedMatrix[] = [];
  const sliced = new Set<string>();
  for (const m of weightMatrices(config, vitParameters(config), method.fuseQkv)) {
    if (m.block < 0 && !targeted.has(m.module)) continue;
    const weight = m.name.replace(/\[\d\]$/, '');
    const slices = slicesOf(overrides, weight);
    if (slices.length === 0) out.push(planned(m, overrideFor(overrides, m.name), method));
    else if (!sliced.has(weight)) {
      sliced.add(weight);
      const height = weightRows(m, config);
      for (const o of slices) {
        const [from, to] = o.rows!;
        const name = overrideLabel({ ...o, name: weight });
        if (to > height) throw new ConfigError('method.overrides', `${name}: the weight has ${height} rows.`);
        const part = { ...m, name, kind: m.module, offset: m.offset + from * m.cols, rows: to - from };
        out.push({ ...planned(part, o, method), slice: [from, to] });
      }
    }
  }
  return out;
}

const weightRows = (m: WeightMatrix, { embedDim }: VitConfig): number => (m.module === 'qkv' ? 3 * embedDim : m.rows);

function planned(m: WeightMatrix, o: MatrixOverride | undefined, method: MethodConfig): PlannedMatrix {
  const { name, block, kind, module, offset, rows, cols } = m;
  const { regularizer, factors } = techniqueOf(method);
  const targeted = (method.targetModules as readonly string[]).includes(module);
  const off = targeted && o?.off === true;
  const acted = targeted && !off;
  const short = Math.min(rows, cols);
  const rankOf = (r: number, c: number): number => o?.rank ?? targetRank(method.targetRank, r, c, method.rankRule);
  const base = {
    name,
    block,
    kind,
    offset,
    rows,
    cols,
    acted,
    targetRank: rankOf(rows, cols),
    regularized: false,
    ...(o?.lambda !== undefined ? { lambdaScale: o.lambda } : {}),
    ...(o ? { overridden: true } : {}),
    ...(off ? { off } : {}),
  };
  if (!acted) return base;
  if (factors === 'lora') {
    const r = o?.rank ?? loraRank(method.loraRank, rows, cols);
    if (r < 1 || r > short)
      throw new ConfigError(
        o?.rank === undefined ? 'method.loraRank' : 'method.overrides',
        `${name} is ${rows} × ${cols}: a LoRA product of it has a rank from 1 to ${short}, not ${r}.`,
      );
    const factor = (part: string, height: number, width: number): FactorPlan => ({
      name: `${name}.lora.${part}`,
      rows: height,
      cols: width,
      targetRank: r,
      regularized: false,
    });
    return { ...base, targetRank: r, factors: [factor('A', cols, r), factor('B', r, rows)] };
  }
  if (factors === 'lorita') {
    const { loritaDepth } = method;
    const list = Array.from({ length: loritaDepth }, (_, i): FactorPlan => {
      const height = i === loritaDepth - 1 ? rows : cols;
      const rank = rankOf(height, cols);
      const regularized = regularizer === 'q3r' && rank < Math.min(height, cols);
      return { name: `${name}.lorita.${i + 1}`, rows: height, cols, targetRank: rank, regularized };
    });
    return { ...base, targetRank: Math.min(...list.map((f) => f.targetRank)), factors: list };
  }
  const regularized = regularizer === 'hoyer' || (regularizer === 'q3r' && base.targetRank < short);
  return { ...base, regularized };
}

/** Where the trained parameters of a factorized run lie; undefined where the weights themselves are trained. */
export function planFactors({ method }: Experiment, config: VitConfig, matrices: readonly PlannedMatrix[]): FactorLayout | undefined {
  const { factors } = techniqueOf(method);
  if (factors === 'none') return undefined;
  const targets = matrices
    .filter((m) => m.factors)
    .map(({ name, offset, rows, cols, targetRank: rank }) => ({ name, offset, rows, cols, rank }));
  const kind = factors === 'lora' ? { kind: factors, alpha: method.loraAlpha } : { kind: factors, depth: method.loritaDepth };
  return factorLayout(vitParameters(config), targets, kind);
}

/** What the regularizer acts on, with places in the trained arena: factors where there are any, else the matrices themselves. */
export function actedMatrices(
  matrices: readonly PlannedMatrix[],
  method: MethodConfig,
  layout: FactorLayout | undefined,
): RegularizedMatrix[] {
  if (techniqueOf(method).regularizer === 'none') return [];
  return matrices
    .filter((m) => m.acted)
    .flatMap((m): RegularizedMatrix[] => {
      const { name, offset, rows, cols, targetRank: rank, lambdaScale, factors } = m;
      if (!factors || !layout) return [{ name, offset, rows, cols, targetRank: rank, lambdaScale }];
      return factors.map((f) => ({ ...f, offset: layout.trained.byName.get(f.name)!.offset, lambdaScale }));
    });
}

/**
 * What changed overrides do to a running run, a mark for each matrix whose rank or factor of λ they move; matrices of several
 * blocks that move alike share one, as `blocks.*`.
 */
export function overrideMarks(step: number, from: Experiment, to: Experiment, config: VitConfig): Mark[] {
  const before = new Map(planMatrices(from, config).map((m) => [m.name, m]));
  const marks = new Map<string, Mark[]>();
  for (const m of planMatrices(to, config)) {
    const old = before.get(m.name);
    if (!old) continue;
    const moved: [string, number, number][] = [
      ['rank', old.targetRank, m.targetRank],
      ['λ ×', old.lambdaScale ?? 1, m.lambdaScale ?? 1],
    ];
    for (const [what, a, b] of moved) {
      if (a === b) continue;
      const shared = `${m.name.replace(/^blocks\.\d+\./, 'blocks.*.')} ${what}`;
      const key = `${shared} ${a} ${b}`;
      marks.set(key, [...(marks.get(key) ?? []), { step, field: `${m.name} ${what}`, from: a, to: b }]);
      if (marks.get(key)!.length > 1)
        marks.set(
          key,
          marks.get(key)!.map((mark) => ({ ...mark, field: shared })),
        );
    }
  }
  return [...marks.values()].map(([first]) => first!);
}
