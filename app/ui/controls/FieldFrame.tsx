import type { ReactNode } from 'react';

interface FieldFrameProps {
  readonly label: string;
  /** Id of the control the label belongs to; a group has none and is named by `labelId`. */
  readonly htmlFor?: string;
  readonly labelId?: string;
  readonly live?: boolean;
  readonly changed: boolean;
  /** The value that resetting brings back, in words. */
  readonly was: string;
  readonly onReset: () => void;
  /** The typed value or the choice at the right edge. */
  readonly control?: ReactNode;
  /** What spans the row under it: slider, chips. */
  readonly children?: ReactNode;
  readonly why?: ReactNode;
  readonly error?: string | undefined;
  readonly errorId?: string;
}

/** Label left, default and value right, control under it, one line of why. An accent bar in the margin marks a changed value. */
export function FieldFrame(props: FieldFrameProps) {
  const { label, htmlFor, labelId, live, changed, was, onReset, control, children, why, error, errorId } = props;
  const name = (
    <>
      {label}
      {live && <small title="May change while a run goes on">live</small>}
    </>
  );
  return (
    <div className={`field${changed ? ' changed' : ''}`}>
      {htmlFor ? (
        <label htmlFor={htmlFor}>{name}</label>
      ) : (
        <span className="name" id={labelId}>
          {name}
        </span>
      )}
      {changed ? (
        <button type="button" className="was" title={`Back to ${was}`} aria-label={`${label}: back to ${was}`} onClick={onReset}>
          {was}
        </button>
      ) : (
        <span />
      )}
      {control ?? <span />}
      {children}
      {error ? (
        <p className="why bad" id={errorId} role="alert">
          {error}
        </p>
      ) : (
        why && <p className="why">{why}</p>
      )}
    </div>
  );
}
