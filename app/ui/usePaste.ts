import { useEffect } from 'react';
import { isExperimentText } from '../protocol/pasted';
import { attempt, importRunFiles, openCommand } from '../store/actions';

/** Looks like the text of a run file. */
const isRunText = (text: string): boolean => /^\s*\{/.test(text) && text.slice(0, 2000).includes('"q3r-run"');

/**
 * A command of the reference or a share link pasted anywhere but into a field opens the dialog that shows what it stands for; run files,
 * or the text of one, are added to the kept runs.
 */
export function usePaste(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const { target } = event;
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      if (target instanceof Element && target.closest('input, textarea, select, [contenteditable]')) return;
      const files = [...(event.clipboardData?.files ?? [])].filter(({ name }) => name.toLowerCase().endsWith('.json'));
      if (files.length > 0) {
        event.preventDefault();
        attempt(importRunFiles(files.map((blob) => ({ name: blob.name, blob }))));
        return;
      }
      const text = event.clipboardData?.getData('text/plain') ?? '';
      if (isRunText(text)) {
        event.preventDefault();
        attempt(importRunFiles([{ name: 'The pasted text', blob: new Blob([text]) }]));
        return;
      }
      if (!isExperimentText(text)) return;
      event.preventDefault();
      openCommand(text);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}
