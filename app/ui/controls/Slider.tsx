import type { CSSProperties } from 'react';

interface Scale {
  readonly min: number;
  readonly max: number;
  readonly scale: 'linear' | 'log';
  readonly step?: number | undefined;
}

const POSITIONS = 400;

/** Share of the way along, 0 to 1; values outside the slider's range stand at its end. */
export function positionOf(value: number, { min, max, scale }: Scale): number {
  const t = scale === 'log' ? Math.log(Math.max(value, min) / min) / Math.log(max / min) : (value - min) / (max - min);
  return Math.min(1, Math.max(0, t));
}

/** The value at a share of the way along, on a step and with no more digits than matter. */
export function valueAtPosition(t: number, { min, max, scale, step }: Scale): number {
  if (t <= 0) return min;
  if (t >= 1) return max;
  const raw = scale === 'log' ? min * (max / min) ** t : min + t * (max - min);
  if (!step) return Number(raw.toPrecision(2));
  // A coarse step would leave no values near the low end of a log slider; there, finer ones are allowed.
  const grain = scale === 'log' && raw < 2 * step ? Math.max(1, step / 10) : step;
  return Number((Math.round(raw / grain) * grain).toPrecision(12));
}

export interface SliderProps extends Scale {
  readonly id?: string;
  readonly label: string;
  readonly value: number;
  readonly valueText: string;
  /** While the thumb moves. */
  readonly onMove: (value: number) => void;
  /** When it is let go, or a key is up. */
  readonly onDone: () => void;
  readonly disabled?: boolean;
}

/** A native range over positions, so that log scales move evenly; arrow keys move one value. */
export function Slider({ id, label, value, valueText, onMove, onDone, disabled, ...scale }: SliderProps) {
  const linearSteps = scale.scale === 'linear' && scale.step ? Math.max(1, Math.round((scale.max - scale.min) / scale.step)) : POSITIONS;
  const t = positionOf(value, scale);
  return (
    <input
      id={id}
      type="range"
      min={0}
      max={linearSteps}
      step={1}
      disabled={disabled}
      value={Math.round(t * linearSteps)}
      aria-label={label}
      aria-valuetext={valueText}
      style={{ '--p': t } as CSSProperties}
      onChange={(event) => onMove(valueAtPosition(Number(event.currentTarget.value) / linearSteps, scale))}
      onPointerUp={onDone}
      onKeyUp={onDone}
      onBlur={onDone}
    />
  );
}
