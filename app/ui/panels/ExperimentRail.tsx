import { fieldsOf } from '../../engine/regularizers/config';
import { differences } from '../../protocol/experiment';
import { modelName } from '../../protocol/presets';
import { attemptNow, baseExperiment, resetAll } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { bytes, count, duration, plural, text } from '../format';
import { InTurn } from '../InTurn';
import { DataGroup } from './DataGroup';
import { Group } from './Group';
import { ImageSizeField } from './ImageSizeField';
import { MethodGroup } from './MethodGroup';
import { TrainingGroup } from './TrainingGroup';

/** Number of settings that differ from the preset. */
export const useChanges = (): number => useStore((s) => differences(baseExperiment(s.preset, s.experiment), s.experiment).length);

/** The left rail: the whole experiment, and what it will need. */
export function ExperimentRail() {
  const changes = useChanges();
  const replay = useStore((s) => s.replay !== null);
  return (
    <section className="left rail" aria-label="Experiment" id="experiment">
      <div className="rail-h">
        <h2 className="grow">Experiment</h2>
        {changes > 0 && !replay && (
          <button type="button" className="was" onClick={() => attemptNow(resetAll)}>
            reset {plural(changes, 'change')}
          </button>
        )}
      </div>
      <div className="rail-b" role="group" aria-label="Settings" tabIndex={replay ? 0 : undefined}>
        <fieldset disabled={replay}>
          {replay && <p className="replay-note">As they were when the run ended. To change them, run it here.</p>}
          <InTurn>
            <DataGroup />
            <ModelGroup />
          </InTurn>
          <InTurn>
            <MethodGroup />
            <TrainingGroup />
            <SvdGroup />
            <EvaluationGroup />
          </InTurn>
        </fieldset>
      </div>
      <Needs />
    </section>
  );
}

const MODEL = ['embedDim', 'depth', 'numHeads', 'mlpRatio', 'patchSize', 'imageSize', 'pool'].map((key) => `model.${key}`);
const SVD = ['method.svd', 'method.oversample', 'method.powerIterations'];
const EVALUATION = ['train.evalEvery', 'train.evalCount'];

function ModelGroup() {
  const name = useStore((s) => modelName(s.experiment));
  const { depth, embedDim } = useStore((s) => s.experiment.model);
  const summary = name.startsWith('ViT ') ? name : `${name}, ${depth} × ${embedDim}`;
  return (
    <Group title="Model" summary={summary} paths={MODEL}>
      <FieldControl path="model.embedDim" />
      <FieldControl path="model.depth" />
      <FieldControl path="model.numHeads" />
      <FieldControl path="model.mlpRatio" />
      <FieldControl path="model.patchSize" />
      <ImageSizeField />
      <FieldControl path="model.pool" />
    </Group>
  );
}

function SvdGroup() {
  const name = useStore((s) => s.experiment.method.name);
  const { svd, oversample, powerIterations } = useStore((s) => s.experiment.method);
  // Hoyer's is always exact; what has no regularizer has none.
  if (!fieldsOf(name).has('svd')) return null;
  return (
    <Group
      title="SVD"
      paths={SVD}
      summary={
        svd === 'exact' ? 'exact' : `randomized, +${oversample} columns, ${plural(powerIterations, 'pass').replace('passs', 'passes')}`
      }
    >
      <FieldControl path="method.svd" />
      {svd === 'randomized' && (
        <>
          <FieldControl path="method.oversample" />
          <FieldControl path="method.powerIterations" />
        </>
      )}
    </Group>
  );
}

function EvaluationGroup() {
  const every = useStore((s) => s.experiment.train.evalEvery);
  return (
    <Group title="Evaluation" summary={every === 0 ? 'off' : `every ${plural(every, 'step')}`} paths={EVALUATION}>
      <FieldControl path="train.evalEvery" />
      <FieldControl path="train.evalCount" />
    </Group>
  );
}

function Needs() {
  const plan = useStore((s) => s.plan);
  const total = plan ? bytes(plan.bytes.total) : null;
  const parts = plan && [
    `weights ${text(bytes(plan.bytes.weights))}`,
    `optimizer ${text(bytes(plan.bytes.optimizer))}`,
    `activations ${text(bytes(plan.bytes.activations))}`,
    `spectra ${text(bytes(plan.bytes.q3r))}`,
    `data ${text(bytes(plan.bytes.data))}`,
    `and ${text(bytes(plan.bytes.truncation))} more once its tail is cut`,
  ];
  return (
    <div className="rail-f">
      <div className="fig">
        <span className="lab">Parameters</span>
        <span className="v">{plan ? text(count(plan.parameters)) : '–'}</span>
      </div>
      <div className="fig" title={parts ? parts.join(', ') : undefined}>
        <span className="lab">GPU memory</span>
        <span className="v">{total ? text(total) : '–'}</span>
      </div>
      <div className="fig">
        <span className="lab">Per epoch</span>
        <span className="v">{duration(plan?.secondsPerEpoch ?? null)}</span>
      </div>
    </div>
  );
}
