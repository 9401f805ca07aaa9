import { useEffect, useState } from 'react';
import { isPicture, notify, showPicture, showTestImage } from '../../store/actions';
import { useStore, type SeeSource } from '../../store/store';
import { FileButton } from '../controls/FileButton';
import { whole } from '../format';
import { Icon } from '../icons';
import { Camera } from './Camera';

/** Which image the model looks at: one of the test set, or the visitor's own. */
export function SourceBar({ source }: { source: SeeSource }) {
  const count = useStore((s) => (s.running ? s.loaded[s.running.dataset]?.testCount : undefined)) ?? 0;
  const [camera, setCamera] = useState(false);
  const [last, setLast] = useState(source.kind === 'test' ? source.index : 0);
  const index = source.kind === 'test' ? source.index : last;
  const go = (to: number) => {
    if (count < 1 || !Number.isFinite(to)) return;
    const next = ((Math.round(to) % count) + count) % count;
    setLast(next);
    showTestImage(next);
  };
  usePastedPicture();
  return (
    <>
      <div className="see-bar">
        <span className="see-number">
          <label htmlFor="see-index">Test image</label>
          <button type="button" className="chart-btn icon" aria-label="Previous test image" onClick={() => go(index - 1)}>
            <Icon name="left" />
          </button>
          <input
            id="see-index"
            className="val"
            type="number"
            min={0}
            max={Math.max(0, count - 1)}
            value={index}
            aria-describedby="see-count"
            onChange={(event) => {
              const value = event.currentTarget.valueAsNumber;
              if (value >= 0 && value < count) go(value);
            }}
          />
          <button type="button" className="chart-btn icon" aria-label="Next test image" onClick={() => go(index + 1)}>
            <Icon name="right" />
          </button>
          <small id="see-count">of {whole(count)}</small>
        </span>
        <span className="chart-grow" />
        <span className="see-own">
          <span className="lab">Your own</span>
          <FileButton accept="image/*" className="btn sm line" onFiles={([file]) => file && showPicture(file, file.name)}>
            File
          </FileButton>
          <button
            type="button"
            className="btn sm line"
            onClick={() => void pasteFromClipboard()}
            title="Or press Ctrl+V, or drop a picture anywhere"
          >
            Paste
          </button>
          <button type="button" className="btn sm line" aria-expanded={camera} onClick={() => setCamera(!camera)}>
            Camera
          </button>
        </span>
      </div>
      {camera && <Camera onClose={() => setCamera(false)} />}
    </>
  );
}

/** A picture pasted anywhere but into a field is looked at. */
function usePastedPicture(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      const file = [...(event.clipboardData?.files ?? [])].find(isPicture);
      if (!file) return;
      event.preventDefault();
      showPicture(file, 'pasted picture');
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}

/** The button's way to the clipboard, which the browser may refuse; the key always works. */
async function pasteFromClipboard(): Promise<void> {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((t) => t.startsWith('image/'));
      if (type) return showPicture(await item.getType(type), 'pasted picture');
    }
    notify('info', 'The clipboard holds no picture. Copy one, or press Ctrl+V (⌘V) after copying.');
  } catch {
    notify('info', 'The browser does not let the page read the clipboard by a button: press Ctrl+V (⌘V) instead.');
  }
}
