import { useState } from 'react';
import { Icon } from '../icons';

/** Copies a text; where the browser refuses, shows it to be selected. */
export function CopyButton({ label, content }: { label: string; content: () => string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  const copy = () => {
    const done = navigator.clipboard?.writeText(content()) ?? Promise.reject(new Error('no clipboard'));
    done.then(
      () => {
        setState('copied');
        setTimeout(() => setState('idle'), 2500);
      },
      () => setState('refused'),
    );
  };
  return (
    <>
      <button type="button" className="btn" onClick={copy}>
        <Icon name={state === 'copied' ? 'check' : 'copy'} />
        <span aria-live="polite">{state === 'copied' ? 'Copied' : label}</span>
      </button>
      {state === 'refused' && (
        <textarea className="report" readOnly rows={8} aria-label={label} value={content()} ref={(box) => box?.select()} />
      )}
    </>
  );
}
