import { useEffect, useId, useRef } from 'react';
import { gridUrl, pairUrl } from '../../store/compare/share';
import type { CompareTab } from '../../store/compare/store';
import { whole } from '../format';
import { LinkField } from '../controls/LinkField';
import { Code } from '../share/ShareDialog';

/** The link to what is compared, to copy, and as a code. */
export default function ShareCompareDialog({ tab, onClose }: { tab: CompareTab; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const link = tab === 'ab' ? pairUrl() : gridUrl();
  return (
    <dialog
      ref={dialog}
      className="sheet share-dialog"
      aria-labelledby={`${id}-title`}
      onClose={(event) => {
        // The large code is a dialog in this one.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className="share-head">
        <h2 id={`${id}-title`}>{tab === 'ab' ? 'Share A and B' : 'Share this grid'}</h2>
        <button type="button" className="btn" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <div className="share-panel">
        <p>
          {tab === 'ab'
            ? 'Opens Compare with the settings of both. Nothing of the runs is in it; the same seeds lead to the same curves.'
            : 'Opens the set-up of this grid: what its runs share, both settings with their values, and the seeds. Its results stay here.'}
        </p>
        <LinkField label={tab === 'ab' ? 'Link to A and B' : 'Link to the grid'} link={link} />
        <p className="share-size">{whole(link.length)} characters</p>
        <Code link={link} />
      </div>
    </dialog>
  );
}
