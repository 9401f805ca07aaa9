import { useEffect } from 'react';
import { isExperimentText } from '../protocol/pasted';
import { openCommand } from '../store/actions';

/** A command of the reference or a share link pasted anywhere but into a field opens the dialog that shows what it stands for. */
export function usePaste(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const { target } = event;
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      if (target instanceof Element && target.closest('input, textarea, select, [contenteditable]')) return;
      const text = event.clipboardData?.getData('text/plain') ?? '';
      if (!isExperimentText(text)) return;
      event.preventDefault();
      openCommand(text);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}
