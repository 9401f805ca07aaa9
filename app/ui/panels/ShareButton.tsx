import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import type { WrittenCommand } from '../../protocol/commandLine';
import { attempt, copyCommandLine, openCommand, share, shareUrl } from '../../store/actions';
import { Menu } from '../controls/Menu';
import { Icon } from '../icons';
import type { Part } from '../share/ShareDialog';

const ShareDialog = lazy(() => import('../share/ShareDialog'));

const WAYS: readonly { readonly part: Part; readonly label: string; readonly what: string }[] = [
  { part: 'results', label: 'Link with results…', what: 'Settings, curves and, where they fit, the last spectra.' },
  { part: 'file', label: 'Run file…', what: 'The whole run, to play back on any device.' },
  { part: 'qr', label: 'QR code…', what: 'For a room with a projector.' },
  { part: 'embed', label: 'Embed…', what: 'A frame for another page.' },
  { part: 'teacher', label: 'Teacher link…', what: 'With settings locked or hidden, for a class.' },
];

/** Copies a link to the experiment; the menu beside it has all other ways to share, and the reference's command line. */
export function ShareButton() {
  const [said, setSaid] = useState('');
  const [shown, setShown] = useState('');
  const [written, setWritten] = useState<(WrittenCommand & { copied: boolean }) | null>(null);
  const [part, setPart] = useState<Part | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const say = (text: string) => {
    setSaid(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(''), 2500);
  };
  const copy = async () => {
    if (await share()) {
      setShown('');
      say('Link copied');
    } else setShown(shareUrl());
  };
  const copyLine = async () => {
    const result = await copyCommandLine();
    if (result.copied) say('Line copied');
    // What the line leaves out has to be seen; so has a line that could not be copied.
    if (!result.copied || result.notes.length > 0) setWritten(result);
  };
  return (
    <span className="share">
      <button type="button" className="btn" onClick={() => attempt(copy())} title="Copy a link to this experiment">
        <Icon name={said ? 'check' : 'share'} />
        <span aria-live="polite">{said || 'Share'}</span>
      </button>
      <Menu
        className="btn icon share-more"
        label="Link with results, run file, QR code, embed, teacher link, command line"
        title="More ways to share"
        align="end"
        button={<Icon name="down" />}
      >
        {(close) => (
          <div className="menu-list">
            {WAYS.map(({ part: way, label, what }) => (
              <button
                key={way}
                type="button"
                onClick={() => {
                  close();
                  setPart(way);
                }}
              >
                <b>{label}</b>
                <span>{what}</span>
              </button>
            ))}
            <hr />
            <button
              type="button"
              onClick={() => {
                close();
                attempt(copyLine());
              }}
            >
              <b>Copy command line</b>
              <span>This experiment as python main.py … of the reference implementation.</span>
            </button>
            <button
              type="button"
              onClick={() => {
                close();
                openCommand();
              }}
            >
              <b>Paste a command…</b>
              <span>Such a line, or a link of this page, becomes the experiment.</span>
            </button>
          </div>
        )}
      </Menu>
      {shown && (
        <span className="share-text" role="group" aria-label="Link to copy">
          <label>
            <span>The browser refused the clipboard. Copy the link from here:</span>
            <input readOnly value={shown} ref={(box) => box?.select()} onFocus={(event) => event.currentTarget.select()} />
          </label>
          <button type="button" className="btn icon" aria-label="Close" onClick={() => setShown('')}>
            <Icon name="close" />
          </button>
        </span>
      )}
      {part !== null && (
        <Suspense fallback={null}>
          <ShareDialog part={part} onClose={() => setPart(null)} />
        </Suspense>
      )}
      {written && <WrittenLine written={written} onClose={() => setWritten(null)} />}
    </span>
  );
}

/** The copied line with what it does not say. */
function WrittenLine({ written, onClose }: { written: WrittenCommand & { copied: boolean }; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="sheet command" aria-labelledby="written-title" onClose={onClose}>
      <h2 id="written-title">{written.copied ? 'The command is copied' : 'Copy the command from here'}</h2>
      <label htmlFor="written-line">For main.py of the reference implementation</label>
      <textarea
        id="written-line"
        readOnly
        rows={4}
        value={written.line}
        ref={(box) => {
          if (!written.copied) box?.select();
        }}
      />
      {written.notes.length > 0 && (
        <div className="command-said" role="region" aria-label="What the command does not say" tabIndex={0}>
          <section>
            <h3>What it does not say</h3>
            <ul>
              {written.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </section>
        </div>
      )}
      <div className="acts">
        <button type="button" className="btn line" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
