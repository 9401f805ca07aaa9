import { notInFours } from '../../protocol/experiment';
import { lossScaleAt, skippedSteps } from '../../protocol/lossScale';
import type { PlanReport } from '../../protocol/messages';
import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { bytes, plural, text, whole } from '../format';

/** How activations are stored, with the memory that it takes or would take; while a mixed run is there, with its loss scale. */
export function PrecisionField() {
  const activations = useStore((s) => s.plan?.activations);
  const mixed = useStore((s) => s.experiment.train.precision === 'mixed');
  const unfit = useStore((s) => notInFours(s.experiment.model));
  const scale = useStore((s) => (s.running ? lossScaleAt(s.running.train, s.marks, s.step + 1) : undefined));
  const skipped = useStore((s) => skippedSteps(s.marks));
  const now =
    scale === undefined ? '' : ` The loss is scaled by ${whole(scale)} now${skipped > 0 ? `, ${plural(skipped, 'step')} skipped` : ''}.`;
  const why = unfit
    ? `Mixed precision is for models whose width, heads and hidden units are multiples of 4; ${unfit} is not.`
    : activations && (mixed ? `${inHalves(activations)}${now}` : inSingle(activations));
  return <FieldControl path="train.precision" why={why} />;
}

type Activations = PlanReport['activations'];
const size = (n: number | null): string => text(bytes(n ?? 0));
const inHalves = ({ mixed, f32 }: Activations): string =>
  `Activations and their gradients in half precision, ${size(mixed)} instead of ${size(f32)}; weights and sums in single. Steps whose scaled gradient overflows are skipped.`;
const inSingle = ({ mixed, f32 }: Activations): string =>
  `All in single precision. Mixed keeps activations in half: nearly the same curve, ${size(mixed)} of activations instead of ${size(f32)}.`;
