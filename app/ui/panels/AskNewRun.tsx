import { useEffect, useRef } from 'react';
import { fieldAt } from '../../protocol/experiment';
import { attempt, cancelAsk, startNewRun } from '../../store/actions';
import { useStore } from '../../store/store';
import { whole } from '../format';

/** Asks before a change throws a run away. */
export function AskNewRun() {
  const ask = useStore((s) => s.ask);
  const step = useStore((s) => s.step);
  const going = useStore((s) => s.phase === 'running' || s.starting);
  const dialog = useRef<HTMLDialogElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (ask && !element.open) {
      element.showModal();
      // The answer that loses nothing has the focus.
      keep.current?.focus();
    }
    if (!ask && element.open) element.close();
  }, [ask]);
  const what = ask ? (fieldAt(ask.what)?.label ?? (ask.what === 'dataset' ? 'the data set' : ask.what)) : '';
  return (
    <dialog ref={dialog} className="sheet" aria-labelledby="ask-title" onClose={cancelAsk}>
      <h2 id="ask-title">This starts a new run from step 0</h2>
      <p>
        Changing {what} cannot be done in a run that is under way. The run at step {whole(step)} ends
        {going ? ', and the new one starts at once.' : ', and the new one waits at step 0.'}
      </p>
      <div className="acts">
        <button type="button" className="btn primary" onClick={() => attempt(startNewRun())}>
          Start new run
        </button>
        <button type="button" className="btn line" ref={keep} onClick={cancelAsk}>
          Keep running
        </button>
      </div>
    </dialog>
  );
}
