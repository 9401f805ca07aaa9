import type { NumberField } from '../../engine/config';
import { attempt, baseExperiment, setField } from '../../store/actions';
import { useStore } from '../../store/store';
import { LockedField, useStanding } from '../controls/LockedField';
import { NumberControl } from '../controls/NumberControl';
import { DATASET_CONFIGS } from '../datasets';

/** Side of the model's input: the data set's own unless another is given, to which the GPU then resizes. */
export function ImageSizeField() {
  const lock = useStanding('model.imageSize');
  if (lock === 'hidden') return null;
  return lock === 'locked' ? <LockedField path="model.imageSize" /> : <FreeImageSize />;
}

function FreeImageSize() {
  const given = useStore((s) => s.experiment.model.imageSize);
  const follows = useStore((s) => s.loaded[s.experiment.dataset]?.imageSize ?? DATASET_CONFIGS[s.experiment.dataset].imageSize);
  /** The preset itself gives one, so that going back to it does not bring the data set's. */
  const preset = useStore((s) => baseExperiment(s.preset, s.experiment).model.imageSize !== undefined);
  const patch = useStore((s) => s.experiment.model.patchSize);
  const field: NumberField = {
    kind: 'int',
    key: 'imageSize',
    label: 'Image size',
    unit: 'px',
    default: follows,
    min: 1,
    max: 512,
    // Whole patches only: the patch must divide the image.
    slider: { min: patch, max: Math.max(256, 2 * follows) - (Math.max(256, 2 * follows) % patch), scale: 'linear', step: patch },
    why: 'Follows the data set. Another size, such as 224, is made on the GPU.',
  };
  const follow = () => attempt(Promise.resolve().then(() => setField('model.imageSize', undefined)));
  return (
    <NumberControl
      path="model.imageSize"
      field={field}
      absent={follows}
      why={
        given === undefined ? undefined : (
          <>
            The GPU resizes the images of {follows} pixels.{' '}
            {preset && (
              <button type="button" className="link" onClick={follow}>
                Follow the data set
              </button>
            )}
          </>
        )
      }
    />
  );
}
