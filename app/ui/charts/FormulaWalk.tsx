import { useEffect, useRef } from 'react';
import { matrixLabel, matrixSize } from './format';
import type { WalkInput, WalkStep } from './formulaSteps';
import { WeightsPlot } from './WeightsPlot';

interface FormulaWalkProps {
  readonly input: WalkInput;
  readonly title: string;
  readonly steps: readonly WalkStep[];
  /** Q3R has weights to plot; the other techniques have none. */
  readonly weights: boolean;
  /** A sentence before the steps, where the numbers need one. */
  readonly note?: string;
  readonly onClose: () => void;
}

/** The whole walk through what is done to one matrix, with its numbers as they are now: wide, and live while the run goes on. */
export function FormulaWalk({ input, title, steps, weights, note, onClose }: FormulaWalkProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="walk" aria-labelledby="walk-title" onClose={onClose}>
      <div className="chart-head">
        <h2 id="walk-title">
          {title}: {matrixLabel(input.matrix)} <small>{matrixSize(input.matrix)}</small>
        </h2>
        <span className="chart-grow" />
        <button type="button" className="chart-btn" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <div className="walk-body" data-weights={weights || undefined}>
        {weights && <WeightsPlot matrix={input.matrix} />}
        <div className="walk-steps" role="region" aria-label="Step by step" tabIndex={0}>
          {note && <p>{note}</p>}
          <ol>
            {steps.map((step, i) => (
              <li key={step.key}>
                <details open>
                  <summary>
                    <i aria-hidden="true">{i + 1}</i>
                    <b>{step.title}</b>
                    <span>{step.figure}</span>
                  </summary>
                  <div className="walk-step">{step.body}</div>
                </details>
              </li>
            ))}
          </ol>
        </div>
      </div>
    </dialog>
  );
}
