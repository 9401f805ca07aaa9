import { fieldAt } from '../../protocol/experiment';
import { setLengthUnit } from '../../store/actions';
import { useStore } from '../../store/store';
import { DATASET_CONFIGS } from '../datasets';
import { FieldControl } from '../controls/FieldControl';
import { LockedField, useStanding } from '../controls/LockedField';
import { NumberControl } from '../controls/NumberControl';
import { Segmented } from '../controls/Segmented';
import { setting, whole } from '../format';
import { AccumulateField } from './AccumulateField';
import { Group, More } from './Group';
import { PrecisionField } from './PrecisionField';
import { RecomputeField } from './RecomputeField';

/** Steps in one pass over the training images, as the worker counts them where it has said so. */
export const useStepsPerEpoch = (): number =>
  useStore(
    (s) =>
      s.plan?.stepsPerEpoch ?? Math.max(1, Math.floor(DATASET_CONFIGS[s.experiment.dataset].trainCount / s.experiment.train.batchSize)),
  );

const MIXING = ['train.mixup', 'train.cutmix'];
const ADAM = ['optimizer', 'weightDecay', 'emaDecay', 'labelSmoothing', 'gradClip', 'beta1', 'beta2', 'adamEps'].map(
  (key) => `train.${key}`,
);
const ALL = [
  ...['lr', 'steps', 'batchSize', 'accumulate', 'recompute', 'precision', 'lrSchedule', 'warmupSteps', 'seed'].map((key) => `train.${key}`),
  ...MIXING,
  ...ADAM,
];

/** The recipe. */
export function TrainingGroup() {
  const lr = useStore((s) => s.experiment.train.lr);
  const steps = useStore((s) => s.experiment.train.steps);
  const coupled = useStore((s) => s.experiment.train.optimizer === 'adam');
  return (
    <Group title="Training" summary={`lr ${setting(lr)}, ${whole(steps)} steps`} paths={ALL} open>
      <FieldControl path="train.lr" />
      <LengthField />
      <FieldControl path="train.batchSize" />
      <AccumulateField />
      <RecomputeField />
      <PrecisionField />
      <FieldControl path="train.lrSchedule" />
      <FieldControl path="train.warmupSteps" />
      <FieldControl path="train.seed" />
      <More summary="Mixing images" paths={MIXING}>
        <FieldControl path="train.mixup" />
        <FieldControl path="train.cutmix" />
      </More>
      <More summary="Regularization and Adam" paths={ADAM}>
        <FieldControl path="train.optimizer" />
        <FieldControl path="train.weightDecay" why={coupled ? 'L2 (Adam): this times each parameter joins its gradient.' : undefined} />
        <FieldControl path="train.emaDecay" />
        <FieldControl path="train.labelSmoothing" />
        <FieldControl path="train.gradClip" />
        <FieldControl path="train.beta1" />
        <FieldControl path="train.beta2" />
        <FieldControl path="train.adamEps" />
      </More>
    </Group>
  );
}

/** The length, typed in steps or in epochs; steps are what is kept. */
function LengthField() {
  const perEpoch = useStepsPerEpoch();
  const lock = useStanding('train.steps');
  const unit = useStore((s) => s.lengthUnit);
  const steps = useStore((s) => s.experiment.train.steps);
  const field = fieldAt('train.steps');
  if (field?.kind !== 'int' || lock === 'hidden') return null;
  if (lock === 'locked') return <LockedField path="train.steps" />;
  const other = unit === 'steps' ? `${setting(Number((steps / perEpoch).toPrecision(3)))} epochs` : `${whole(steps)} steps`;
  return (
    <NumberControl
      path="train.steps"
      field={field}
      why={`${other}; an epoch is ${whole(perEpoch)} steps. The schedule ends with the run.`}
      {...(unit === 'epochs' ? { shown: { unit: 'epochs', perUnit: perEpoch } } : {})}
      aside={
        <Segmented
          label="Unit of the length"
          value={unit}
          options={[
            { value: 'steps', label: 'in steps' },
            { value: 'epochs', label: 'in epochs' },
          ]}
          onChange={setLengthUnit}
        />
      }
    />
  );
}
