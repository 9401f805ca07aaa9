import { useState } from 'react';
import { parseNumber, range, setting } from '../format';

interface CellNumberProps {
  readonly label: string;
  /** Undefined where several matrices differ. */
  readonly value: number | undefined;
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
  /** An empty box goes back to the method's own. Returns what does not fit. */
  readonly onCommit: (value: number | undefined) => string | undefined;
}

/** A number in a table. What does not fit stays in the box, and its reason is its title and is read aloud. */
export function CellNumber({ label, value, min, max, integer = false, onCommit }: CellNumberProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<string | undefined>(undefined);
  const shown = value === undefined ? '' : setting(value);
  const commit = (typed: string) => {
    if (typed.trim() === shown || (typed.trim() === '' && value === undefined)) {
      setDraft(null);
      setError(undefined);
      return;
    }
    const number = typed.trim() === '' ? undefined : parseNumber(typed);
    const fits = number === undefined || (number >= min && number <= max && (!integer || Number.isInteger(number)));
    const problem = fits ? onCommit(number) : `${label} must be ${integer ? 'a whole number' : 'a number'} ${range(min, max)}.`;
    setError(problem);
    if (problem === undefined) setDraft(null);
  };
  return (
    <>
      <input
        className="val cell"
        inputMode="decimal"
        autoComplete="off"
        spellCheck={false}
        aria-label={label}
        placeholder="various"
        value={draft ?? shown}
        aria-invalid={error !== undefined}
        title={error}
        onFocus={(event) => event.currentTarget.select()}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={(event) => commit(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault();
            commit(event.currentTarget.value);
          }
          // Escape takes back what was typed; a second one closes the sheet.
          if (event.key === 'Escape' && draft !== null) {
            event.preventDefault();
            event.stopPropagation();
            setDraft(null);
            setError(undefined);
          }
        }}
      />
      {error && (
        <span className="sr" role="alert">
          {error}
        </span>
      )}
    </>
  );
}
