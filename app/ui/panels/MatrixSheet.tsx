import { useEffect, useRef, useState } from 'react';
import { TECHNIQUES } from '../../engine/regularizers/config';
import { clearOverrides } from '../../store/actions';
import { useStore } from '../../store/store';
import { useStanding } from '../controls/LockedField';
import { plural } from '../format';
import { Icon } from '../icons';
import { MatrixGroup } from './MatrixGroup';
import { SliceForm } from './SliceForm';
import { kindGroups } from './matrixRows';

/** Every matrix with its rank, its factor of λ and whether the method acts on it; slices are added at its end. */
export function MatrixSheet({ onClose }: { onClose: () => void }) {
  const sheet = useRef<HTMLDialogElement>(null);
  useEffect(() => sheet.current?.showModal(), []);
  const matrices = useStore((s) => s.plan?.matrices);
  const overrides = useStore((s) => s.experiment.method.overrides);
  const name = useStore((s) => s.experiment.method.name);
  const problem = useStore((s) => s.planError?.message);
  const locked = useStanding('method.overrides') !== 'free';
  const [error, setError] = useState<string | undefined>(undefined);
  const { regularizer, factors } = TECHNIQUES[name];
  const acts = regularizer !== 'none' || factors !== 'none';
  const said = error ?? problem;
  return (
    <dialog ref={sheet} className="sheet wide" aria-labelledby="matrix-sheet-title" onClose={onClose}>
      <div className="sheet-h">
        <h2 id="matrix-sheet-title">Matrix by matrix</h2>
        <button type="button" className="btn icon" aria-label="Close" onClick={() => sheet.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <p>
        {locked
          ? 'The link of this page locks what each matrix gets; here it is to look at.'
          : factors === 'lora'
            ? 'The rank of a product can be set for every matrix; a matrix left out is trained as it is.'
            : acts
              ? 'A matrix may get a target rank and a pull of its own, or be left out. Ranks and factors of λ change in a running run; the rest starts a new one.'
              : 'The dense baseline uses none of this; the wall draws the target ranks for comparison.'}
      </p>
      {matrices && (
        <div className="sheet-scroll" tabIndex={0} role="region" aria-label="Matrices">
          <table className="matrix-table">
            <thead>
              <tr>
                <th>Matrix</th>
                <th className="num size">Size</th>
                <th className="num">{factors === 'lora' ? 'Rank' : 'Target rank'}</th>
                {regularizer !== 'none' && <th className="num">λ ×</th>}
                {acts && <th className="num">Acts</th>}
                <th className="num" title="Parameters of two factors of that rank, of those of the matrix">
                  Kept
                </th>
                <th>
                  <span className="sr">Back to the method’s own</span>
                </th>
              </tr>
            </thead>
            {kindGroups(matrices).map((group) => (
              <MatrixGroup
                key={group.label}
                group={group}
                overrides={overrides}
                lambda={regularizer !== 'none'}
                acts={acts}
                locked={locked}
                onProblem={setError}
              />
            ))}
          </table>
        </div>
      )}
      {said && (
        <p className="why bad" role="alert">
          {said}
        </p>
      )}
      {!locked && <SliceForm onProblem={setError} />}
      <div className="acts">
        {!locked && (
          <button type="button" className="btn line" disabled={overrides.length === 0} onClick={() => setError(clearOverrides())}>
            {overrides.length === 0 ? 'Nothing to reset' : `Reset ${plural(overrides.length, 'override')}`}
          </button>
        )}
        <span className="grow" />
        <button type="button" className="btn primary" onClick={() => sheet.current?.close()}>
          Done
        </button>
      </div>
    </dialog>
  );
}
