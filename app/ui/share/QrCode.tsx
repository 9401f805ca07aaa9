import { useMemo, useRef } from 'react';
import { encode } from 'uqr';

/** Most characters a QR code can hold. */
const MOST = 2953;
/** From here on a code is dense: a phone has to come close. */
const DENSE = 700;

/** A link as a QR code, with a full-screen view for a projector. */
export default function QrCode({ link }: { link: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const code = useMemo(() => draw(link), [link]);
  if (!code)
    return (
      <p className="share-note" role="status">
        This link has {link.length} characters; a QR code holds at most {MOST}. Take the link with the settings only.
      </p>
    );
  return (
    <div className="qr">
      <Picture code={code} link={link} />
      <div>
        <p className="qr-link">{link}</p>
        {link.length > DENSE && <p>A long link makes a fine code: show it large, and hold the camera close.</p>}
        <button type="button" className="btn line" onClick={() => dialog.current?.showModal()}>
          Enlarge for the projector
        </button>
      </div>
      <dialog ref={dialog} className="qr-large" aria-label="QR code">
        <Picture code={code} link={link} />
        <p className="qr-link">{link}</p>
        <button type="button" className="btn line" onClick={() => dialog.current?.close()} autoFocus>
          Close
        </button>
      </dialog>
    </div>
  );
}

interface Code {
  readonly size: number;
  /** Outline of the dark modules, a unit each. */
  readonly path: string;
}

function draw(link: string): Code | null {
  if (link.length > MOST) return null;
  // The quiet zone of four modules is part of the code.
  const { data, size } = encode(link, { ecc: 'L', border: 4 });
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .filter(Boolean)
    .join('');
  return { size, path };
}

const Picture = ({ code: { size, path }, link }: { code: Code; link: string }) => (
  <svg
    className="qr-code"
    viewBox={`0 0 ${size} ${size}`}
    role="img"
    aria-label={`QR code of ${link.slice(0, 120)}`}
    shapeRendering="crispEdges"
  >
    <rect width={size} height={size} />
    <path d={path} />
  </svg>
);
