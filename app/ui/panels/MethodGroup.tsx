import { fieldAt } from '../../protocol/experiment';
import type { MatrixPlan } from '../../protocol/messages';
import { useStore } from '../../store/store';
import { matchingShare } from '../charts/cuts';
import { FieldControl } from '../controls/FieldControl';
import { Group } from './Group';
import { RankTable } from './RankTable';

const optionLabel = (path: string, value: string): string => {
  const field = fieldAt(path);
  return field?.kind === 'choice' ? (field.options.find((o) => o.value === value)?.label ?? value) : value;
};

/** "38 of 192 singular values stay free ≈ 33 % of the parameters." for what the target rank comes to. */
export function rankLine(matrices: readonly MatrixPlan[], dense: boolean): string {
  if (dense) return 'The dense baseline ignores it; the wall draws it for comparison.';
  const acted = matrices.filter((m) => m.regularized);
  const first = acted[0];
  if (!first) return 'No matrix is regularized: choose matrices below, or a lower rank.';
  const min = (m: MatrixPlan) => Math.min(m.rows, m.cols);
  const same = acted.every((m) => m.targetRank === first.targetRank && min(m) === min(first));
  const left = matrices.length - acted.length;
  const rest = left > 0 ? ` ${left} of ${matrices.length} matrices are left alone.` : '';
  if (same) return `${first.targetRank} of ${min(first)} singular values stay free${matching(matrices, acted)}.${rest}`;
  const shares = acted.map((m) => m.targetRank);
  return `${Math.min(...shares)} to ${Math.max(...shares)} singular values stay free${matching(matrices, acted)}.${rest}`;
}

/** " ≈ 33 % of the parameters": what two factors of those ranks take of the matrices. */
function matching(matrices: readonly MatrixPlan[], acted: readonly MatrixPlan[]): string {
  const share = matchingShare(
    acted,
    matrices.map((m) => (m.kind === 'q' || m.kind === 'k' || m.kind === 'v' ? 'qkv' : m.kind)),
  );
  return Number.isFinite(share) ? ` ≈ ${Math.round(share * 100)}\u2009% of the parameters` : '';
}

/** The technique and, where it regularizes, its knobs. */
export function MethodGroup() {
  const name = useStore((s) => s.experiment.method.name);
  const schedule = useStore((s) => s.experiment.method.epsilonSchedule);
  const rank = useStore((s) => s.experiment.method.targetRank);
  const matrices = useStore((s) => s.plan?.matrices);
  const dense = name === 'adamw';
  const acted = matrices?.filter((m) => m.regularized).length ?? 0;
  return (
    <Group title="Method" summary={`${optionLabel('method.name', name)}${dense ? '' : `, rank ${rank}`}`} open>
      <FieldControl path="method.name" />
      <FieldControl path="method.targetRank" why={matrices && rankLine(matrices, dense)} />
      {matrices && <RankTable matrices={matrices} dense={dense} />}
      {!dense && (
        <>
          <FieldControl path="method.lambda" />
          <FieldControl path="method.reweightEvery" why={acted > 1 ? `A new SVD of all ${acted} matrices each time.` : undefined} />
          <FieldControl path="method.epsilonSchedule" />
          {(schedule === 'linear' || schedule === 'constant') && (
            <FieldControl path="method.epsilonN" why={schedule === 'linear' ? 'Refreshes until ε is 1e−5.' : 'The value ε keeps.'} />
          )}
          <FieldControl path="method.targetModules" />
        </>
      )}
      <details className="ranks more">
        <summary>Rank rule and fused QKV</summary>
        <div className="in">
          {rank < 1 && <FieldControl path="method.rankRule" />}
          <FieldControl path="method.fuseQkv" />
        </div>
      </details>
    </Group>
  );
}
