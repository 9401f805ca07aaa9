import { TECHNIQUES, fieldsOf, type MethodField } from '../../engine/regularizers/config';
import type { MethodConfig, MethodName } from '../../protocol/experiment';
import type { MatrixPlan } from '../../protocol/messages';
import { choiceName } from '../../protocol/settings';
import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { useStanding } from '../controls/LockedField';
import { Group, More } from './Group';
import { RankTable } from './RankTable';
import { keptShare } from './matrixRows';

/** "38 of 192 singular values stay free, 40 % of the parameters.", for what the target rank comes to. */
export function rankLine(matrices: readonly MatrixPlan[], name: MethodName): string {
  const { regularizer, factors } = TECHNIQUES[name];
  if (name === 'adamw') return 'The dense baseline ignores it; the wall draws it for comparison.';
  if (regularizer !== 'q3r') return 'Nothing aims at it; the wall draws it for comparison.';
  if (factors === 'lorita' && matrices.some((m) => m.factors)) {
    const ranks = matrices.flatMap((m) => m.factors ?? []).filter((f) => f.regularized);
    return ranks.length > 0
      ? `Of each factor by its own shape: ${span(ranks.map((f) => f.targetRank))} singular values stay free.`
      : 'No factor is regularized: choose matrices below, or a lower rank.';
  }
  const acted = matrices.filter((m) => m.regularized);
  const first = acted[0];
  if (!first) return 'No matrix is regularized: choose matrices below, or a lower rank.';
  const min = (m: MatrixPlan) => Math.min(m.rows, m.cols);
  const same = acted.every((m) => m.targetRank === first.targetRank && min(m) === min(first));
  const left = matrices.length - acted.length;
  const rest = left > 0 ? ` ${left} of ${matrices.length} matrices are left alone.` : '';
  const shares = acted.map(keptShare);
  const parameters = `, ${span(shares.map((share) => Math.round(100 * share)))} % of their parameters`;
  if (same) return `${first.targetRank} of ${min(first)} singular values stay free${parameters}.${rest}`;
  return `${span(acted.map((m) => m.targetRank))} singular values stay free${parameters}.${rest}`;
}

/** "12" or "12 to 38". */
function span(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? String(low) : `${low} to ${high}`;
}

/** The ranks that LoRA has, and what of the parameters is trained. */
function loraLine(matrices: readonly MatrixPlan[]): string {
  const products = matrices.filter((m) => m.factors);
  if (products.length === 0) return 'No matrix is a product: choose matrices below.';
  const all = products.reduce((sum, m) => sum + m.rows * m.cols, 0);
  const trained = products.reduce((sum, m) => sum + m.targetRank * (m.rows + m.cols), 0);
  return `Rank ${span(products.map((m) => m.targetRank))}: ${Math.round((100 * trained) / all)} % of the parameters of ${products.length} matrices are trained.`;
}

const summary = ({ name, targetRank, loraRank, loritaDepth }: MethodConfig): string => {
  const { regularizer, factors } = TECHNIQUES[name];
  const parts = [
    choiceName('method.name', name),
    factors === 'lorita' ? `${loritaDepth} factors` : '',
    factors === 'lora' ? `rank ${loraRank}` : '',
    regularizer === 'q3r' ? `rank ${targetRank}` : '',
  ];
  return parts.filter(Boolean).join(', ');
};

const MORE = ['method.rankRule', 'method.fuseQkv'];
const METHOD = [
  ...['name', 'loritaDepth', 'loraRank', 'loraAlpha', 'targetRank', 'overrides', 'lambda', 'reweightEvery'],
  ...['epsilonSchedule', 'epsilonN', 'targetModules'],
].map((key) => `method.${key}`);

/** The technique, and exactly the knobs that it has. */
export function MethodGroup() {
  const method = useStore((s) => s.experiment.method);
  const planned = useStore((s) => s.plan?.matrices);
  const problem = useStore((s) => (s.planError?.field === 'method.loraRank' ? s.planError.message : undefined));
  const { name, epsilonSchedule: schedule, targetRank: rank } = method;
  const matrices = planned ?? [];
  const ranks = useStanding('method.overrides');
  const used = fieldsOf(name);
  const has = (key: MethodField) => used.has(key);
  const acted = matrices.flatMap((m) => [m, ...(m.factors ?? [])]).filter((m) => m.regularized).length;
  return (
    <Group title="Method" summary={summary(method)} paths={METHOD} open>
      <FieldControl path="method.name" why={TECHNIQUES[name].why} />
      {has('loritaDepth') && <FieldControl path="method.loritaDepth" />}
      {has('loraRank') && (
        <FieldControl path="method.loraRank" why={problem ? <span className="bad">{problem}</span> : planned && loraLine(planned)} />
      )}
      {has('loraAlpha') && <FieldControl path="method.loraAlpha" />}
      {has('targetRank') && <FieldControl path="method.targetRank" why={planned && rankLine(planned, name)} />}
      {planned && ranks !== 'hidden' && <RankTable matrices={planned} />}
      {has('lambda') && (
        <FieldControl path="method.lambda" why={TECHNIQUES[name].inLoss ? 'How much the regularizer weighs beside the loss.' : undefined} />
      )}
      {has('reweightEvery') && <FieldControl path="method.reweightEvery" why={refreshLine(name, acted)} />}
      {has('epsilonSchedule') && <FieldControl path="method.epsilonSchedule" />}
      {has('epsilonN') && (schedule === 'linear' || schedule === 'constant') && (
        <FieldControl path="method.epsilonN" why={schedule === 'linear' ? 'Refreshes until ε is 1e−5.' : 'The value ε keeps.'} />
      )}
      {has('targetModules') && (
        <FieldControl
          path="method.targetModules"
          why={TECHNIQUES[name].factors === 'none' ? undefined : 'Exactly the matrices named here are products of factors.'}
        />
      )}
      <More summary={has('rankRule') && rank < 1 ? 'Rank rule and fused QKV' : 'Fused QKV'} paths={MORE}>
        {has('rankRule') && rank < 1 && <FieldControl path="method.rankRule" />}
        <FieldControl
          path="method.fuseQkv"
          why={TECHNIQUES[name].factors === 'none' ? undefined : 'One product for the whole qkv weight instead of one each for Q, K and V.'}
        />
      </More>
    </Group>
  );
}

function refreshLine(name: MethodName, acted: number): string | undefined {
  if (TECHNIQUES[name].regularizer === 'hoyer')
    return 'A new exact SVD each time; at 1 the gradient is exact, between refreshes U, V and σ are those of the last.';
  const what = TECHNIQUES[name].factors === 'lorita' ? 'factors' : 'matrices';
  return acted > 1 ? `A new SVD of all ${acted} ${what} each time.` : undefined;
}
