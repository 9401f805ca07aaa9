import { useEffect, useMemo, useRef, useState } from 'react';
import type { Experiment } from '../../protocol/experiment';
import { techniqueName } from '../../protocol/settings';
import { readPasted } from '../../protocol/pasted';
import { attemptNow, closeCommand, takePasted } from '../../store/actions';
import { useStore } from '../../store/store';
import { experimentName } from '../datasets';
import { plural, whole } from '../format';
import { usePaste } from '../usePaste';

const EXAMPLE = 'python main.py --dataset CIFAR10 --model VIT_Tiny --epoch 100 …';

/** Takes a command of the reference, or a share link, and says what it stands for before anything is applied. */
export function CommandDialog() {
  usePaste();
  const opened = useStore((s) => s.command);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (opened !== null && !element.open) element.showModal();
    if (opened === null && element.open) element.close();
  }, [opened]);
  return (
    <dialog ref={dialog} className="sheet command" aria-labelledby="command-title" onClose={closeCommand}>
      <h2 id="command-title">Paste a command</h2>
      {opened !== null && <Form key={opened} text={opened} />}
    </dialog>
  );
}

function Form({ text: given }: { text: string }) {
  const [text, setText] = useState(given);
  const { experiment, problems, notes } = useMemo(() => readPasted(text), [text]);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  const shown = problems.slice(0, 12);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (experiment) attemptNow(() => takePasted(experiment));
      }}
    >
      <label htmlFor="command-text">A command of the reference implementation, or a link of this page</label>
      <textarea
        id="command-text"
        ref={box}
        rows={6}
        spellCheck={false}
        autoComplete="off"
        placeholder={EXAMPLE}
        value={text}
        aria-describedby="command-said"
        aria-invalid={problems.length > 0}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          // Enter begins a new line of the text; with Ctrl or ⌘ it applies.
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
        }}
      />
      <div id="command-said" className="command-said" aria-live="polite" role="region" aria-label="What the text stands for" tabIndex={0}>
        {text.trim() === '' && <p>What it stands for is said here before anything changes.</p>}
        {problems.length > 0 && (
          <section>
            <h3 className="bad">{plural(problems.length, 'problem')}</h3>
            <ul>
              {shown.map((problem, i) => (
                <li key={i}>{problem.message}</li>
              ))}
              {problems.length > shown.length && <li>And {problems.length - shown.length} more.</li>}
            </ul>
          </section>
        )}
        {experiment && <Summary experiment={experiment} />}
        {notes.length > 0 && (
          <section>
            <h3>{plural(notes.length, 'note')}</h3>
            <ul>
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </section>
        )}
      </div>
      <div className="acts">
        <button type="submit" className="btn primary" disabled={!experiment}>
          Apply
        </button>
        <button type="button" className="btn line" onClick={closeCommand}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** The experiment in one line, so that a mistaken command is seen before it is applied. */
function Summary({ experiment }: { experiment: Experiment }) {
  const { train } = experiment;
  return (
    <p className="command-sum">
      <b>{experimentName(experiment)}</b>, {techniqueName(experiment)}, {whole(train.steps)} steps of {plural(train.batchSize, 'image')}
    </p>
  );
}
