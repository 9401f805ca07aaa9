import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { bytes, text } from '../format';

/** Recomputation of activations, with the memory that it saves. */
export function RecomputeField() {
  const activations = useStore((s) => s.plan?.activations);
  return (
    <FieldControl
      path="train.recompute"
      why={
        activations &&
        (activations.recomputed < activations.kept
          ? `Computes each block again in the backward pass instead of keeping it: the same curve, ${text(bytes(activations.recomputed))} of activations instead of ${text(bytes(activations.kept))}.`
          : 'Computes each block again in the backward pass instead of keeping it; this model, of so few blocks, gains nothing by it.')
      }
    />
  );
}
