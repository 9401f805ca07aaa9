import { CopyButton } from './CopyButton';

/** A link to copy, or to select. */
export function LinkField({ label, link }: { label: string; link: string }) {
  return (
    <div className="share-link">
      <input readOnly aria-label={label} value={link} onFocus={(event) => event.currentTarget.select()} />
      <CopyButton label="Copy" content={() => link} />
    </div>
  );
}
