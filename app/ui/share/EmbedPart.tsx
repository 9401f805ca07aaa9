import { useState } from 'react';
import { embedCode, embedUrl } from '../../store/actions';
import { CopyButton } from '../controls/CopyButton';
import { Segmented } from '../controls/Segmented';

const SIZES = {
  small: { label: '480 × 400', width: 480, height: 400 },
  medium: { label: '720 × 540', width: 720, height: 540 },
  large: { label: '1080 × 720', width: 1080, height: 720 },
} as const;
const OPTIONS = Object.entries(SIZES).map(([value, { label }]) => ({ value: value as keyof typeof SIZES, label }));
/** Width of the preview, pixels. */
const PREVIEW = 480;

/** Code that shows the link in another page. */
export function EmbedPart({ link, title }: { link: string; title: string }) {
  const [size, setSize] = useState<keyof typeof SIZES>('medium');
  const [preview, setPreview] = useState(false);
  const { width, height } = SIZES[size];
  const code = embedCode(link, width, height, title);
  const scale = Math.min(1, PREVIEW / width);
  return (
    <>
      <p>For a web page, a course site, or slides that show web pages: run controls, spectrum wall and charts, without the settings.</p>
      <div className="share-row">
        <Segmented label="Size" options={OPTIONS} value={size} onChange={setSize} />
      </div>
      <textarea
        className="share-code"
        readOnly
        rows={6}
        aria-label="Code to embed"
        value={code}
        onFocus={(e) => e.currentTarget.select()}
      />
      <div className="acts">
        <CopyButton label="Copy code" content={() => code} />
        <button type="button" className="btn" aria-expanded={preview} onClick={() => setPreview(!preview)}>
          {preview ? 'Hide preview' : 'Show preview'}
        </button>
      </div>
      {preview && (
        <div className="embed-preview" style={{ width: width * scale, height: height * scale }}>
          <iframe
            key={size}
            src={embedUrl(link)}
            width={width}
            height={height}
            title={`Preview: ${title}`}
            style={{ transform: `scale(${scale})` }}
          />
        </div>
      )}
    </>
  );
}
