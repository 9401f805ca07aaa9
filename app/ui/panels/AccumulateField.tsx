import { useId } from 'react';
import { fieldAt } from '../../protocol/experiment';
import { attempt, baseExperiment, resetField, setField } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldFrame } from '../controls/FieldFrame';
import { LockedField, useStanding } from '../controls/LockedField';
import { plural } from '../format';

const PATH = 'train.accumulate';

const partsText = (n: number): string => (n === 1 ? 'none' : `${n} parts`);

/** In how many parts a batch passes: one of the numbers that divide it. */
export function AccumulateField() {
  const lock = useStanding(PATH);
  if (lock === 'hidden') return null;
  return lock === 'locked' ? <LockedField path={PATH} /> : <FreeAccumulate />;
}

function FreeAccumulate() {
  const id = useId();
  const { accumulate, batchSize } = useStore((s) => s.experiment.train);
  const base = useStore((s) => baseExperiment(s.preset, s.experiment).train.accumulate);
  const field = fieldAt(PATH);
  if (field?.kind !== 'int') return null;
  const choices = Array.from({ length: Math.min(field.max, batchSize) }, (_, i) => i + 1).filter((n) => batchSize % n === 0);
  return (
    <FieldFrame
      label={field.label}
      htmlFor={id}
      changed={accumulate !== base}
      was={partsText(base)}
      onReset={() => resetField(PATH)}
      control={
        <select
          id={id}
          className="val menu"
          value={accumulate}
          onChange={(event) => {
            const parts = Number(event.currentTarget.value);
            attempt(Promise.resolve().then(() => setField(PATH, parts)));
          }}
        >
          {choices.map((n) => (
            <option key={n} value={n}>
              {partsText(n)}
            </option>
          ))}
        </select>
      }
      why={
        accumulate > 1
          ? `${plural(batchSize / accumulate, 'image')} at a time; the gradients of all ${accumulate} parts make one step, in less memory.`
          : 'Cuts the batch into parts whose gradients add up: large batches in little memory.'
      }
    />
  );
}
