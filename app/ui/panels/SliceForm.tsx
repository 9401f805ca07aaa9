import { useId, useState } from 'react';
import { addSlice } from '../../store/actions';
import { useStore } from '../../store/store';
import { parseNumber } from '../format';
import { weightName } from './matrixRows';

/** Makes rows of a weight a matrix of their own. */
export function SliceForm({ onProblem }: { onProblem: (message: string | undefined) => void }) {
  const id = useId();
  const names = useStore((s) => (s.plan?.matrices ?? []).map((m) => weightName(m).replace(/\[\d\]$/, '')).join(' '));
  const weights = [...new Set(names.split(' ').flatMap((name) => [name.replace(/^blocks\.\d+\./, 'blocks.*.'), name]))].filter(Boolean);
  // All blocks first, then one by one.
  const sorted = [...weights.filter((name) => name.includes('*')), ...weights.filter((name) => !name.includes('*'))];
  const [weight, setWeight] = useState('');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const chosen = sorted.includes(weight) ? weight : (sorted[0] ?? '');
  const add = () => {
    const [first, last] = [parseNumber(from), parseNumber(to)];
    if (!Number.isInteger(first) || !Number.isInteger(last)) {
      onProblem('A slice needs its first and its last row, counted from 0.');
      return;
    }
    const problem = addSlice(chosen, first, last + 1);
    onProblem(problem);
    if (problem === undefined) {
      setFrom('');
      setTo('');
    }
  };
  return (
    <form
      className="slice-form"
      aria-labelledby={`${id}-title`}
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <p className="why" id={`${id}-title`}>
        A slice makes rows of a weight a matrix of its own, as Q, K and V are of qkv. Rows that no slice covers are then left alone.
      </p>
      <label>
        <span>Slice of</span>
        <select className="val menu" value={chosen} onChange={(event) => setWeight(event.currentTarget.value)}>
          {sorted.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>rows</span>
        <input className="val cell" inputMode="numeric" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        <span>to</span>
        <input className="val cell" inputMode="numeric" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
      </label>
      <button type="submit" className="btn line sm">
        Add slice
      </button>
    </form>
  );
}
