import { lazy, Suspense, useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { attempt, hasResults, recordingLink, resultsUrl, saveScreenRun, shareUrl, type ResultsUrl } from '../../store/actions';
import { useStore } from '../../store/store';
import { LinkField } from '../controls/LinkField';
import { Segmented } from '../controls/Segmented';
import { experimentName } from '../datasets';
import { plural, whole } from '../format';
import { Icon } from '../icons';
import { EmbedPart } from './EmbedPart';
import { TeacherPart } from './TeacherPart';

const QrCode = lazy(() => import('./QrCode'));

const PARTS = [
  { key: 'link', label: 'Link' },
  { key: 'results', label: 'With results' },
  { key: 'file', label: 'Run file' },
  { key: 'qr', label: 'QR code' },
  { key: 'embed', label: 'Embed' },
  { key: 'teacher', label: 'Teacher link' },
] as const;
export type Part = (typeof PARTS)[number]['key'];

/** All ways to hand on what is on screen. */
export default function ShareDialog({ part: first, onClose }: { part: Part; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [part, setPart] = useState<Part>(first);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = PARTS[(PARTS.findIndex(({ key }) => key === part) + by + PARTS.length) % PARTS.length]!;
    setPart(next.key);
    event.currentTarget.querySelector<HTMLElement>(`[data-part='${next.key}']`)?.focus();
  };
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
        <h2 id={`${id}-title`}>Share</h2>
        <button type="button" className="btn icon" aria-label="Close" title="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div className="share-tabs" role="tablist" aria-label="Way to share" onKeyDown={move}>
        {PARTS.map(({ key, label }) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`${id}-${key}`}
            data-part={key}
            aria-selected={key === part}
            aria-controls={`${id}-panel`}
            tabIndex={key === part ? 0 : -1}
            onClick={() => setPart(key)}
          >
            {label}
          </button>
        ))}
      </div>
      <div className="share-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${part}`}>
        {part === 'link' && <LinkPart />}
        {part === 'results' && <ResultsPart />}
        {part === 'file' && <FilePart />}
        {part === 'teacher' && <TeacherPart />}
        {part === 'qr' && <Chosen>{(link) => <Code link={link} />}</Chosen>}
        {part === 'embed' && <Chosen>{(link, title) => <EmbedPart link={link} title={title} />}</Chosen>}
      </div>
    </dialog>
  );
}

function LinkPart() {
  const link = useStore(() => shareUrl());
  const recording = useStore(() => recordingLink());
  return (
    <>
      <p>Opens this page with the same settings. Nothing of the run is in it; the same seed leads to the same curve.</p>
      <LinkField label="Link to the settings" link={link} />
      {recording !== null && (
        <>
          <p>Opens this recording, on any device, without WebGPU too.</p>
          <LinkField label="Link to the recording" link={recording} />
        </>
      )}
    </>
  );
}

/** The link with results of the run as it is now; an error's message where there is none. */
function useResults(): ResultsUrl | string | null {
  const ready = useStore(() => hasResults());
  const [made, setMade] = useState<ResultsUrl | string | null>(null);
  useEffect(() => {
    let gone = false;
    if (ready)
      resultsUrl().then(
        (result) => !gone && setMade(result),
        (error: unknown) => !gone && setMade(error instanceof Error ? error.message : String(error)),
      );
    return () => {
      gone = true;
    };
  }, [ready]);
  return ready ? made : 'There are no results before the first step.';
}

function ResultsPart() {
  const made = useResults();
  if (made === null) return <p aria-busy="true">Packing the results…</p>;
  if (typeof made === 'string') return <p className="share-note">{made}</p>;
  const { url, points, evaluations, cuts, marks, levels } = made;
  return (
    <>
      <p>Opens the settings together with what came of them, on any device, without WebGPU too. In the link:</p>
      <ul>
        <li>{plural(points, 'point')} of loss, accuracy and regularizer, averaged as the charts are now</li>
        <li>{evaluations > 0 ? plural(evaluations, 'validation') : 'no validation yet'}</li>
        <li>{cuts > 0 ? `the truncation curve, ${plural(cuts, 'cut')}` : 'no truncation curve, since none is measured yet'}</li>
        {marks > 0 && <li>{plural(marks, 'change')} made on the way</li>}
        <li>
          {levels > 0
            ? `the last spectra, every singular value to ${(100 * (2 ** (0.5 / levels) - 1)).toFixed(0)} %`
            : 'no spectra: there are none, or they do not fit'}
        </li>
        <li>the device, and the day</li>
      </ul>
      <LinkField label="Link with results" link={url} />
      <p className="share-size">{whole(url.length)} characters</p>
    </>
  );
}

function FilePart() {
  const run = useStore((s) => s.running !== null && s.step > 0 && s.replay?.from !== 'link');
  const partly = useStore((s) => s.replay?.from === 'link');
  return (
    <>
      <p>
        The whole run in one file: every step, the spectra over time, truncation curves, settings, device and date; not the weights. Dropped
        on this page, it plays back on any device, without WebGPU too.
      </p>
      <div className="acts">
        <button type="button" className="btn primary" disabled={!run} onClick={() => attempt(saveScreenRun())}>
          Save run file
        </button>
      </div>
      {!run && (
        <p className="share-note">
          {partly ? 'A link holds a part of a run only, too little for a file.' : 'There is no run before the first step.'}
        </p>
      )}
    </>
  );
}

type Choice = 'settings' | 'results' | 'recording';

/** What a code or a frame should open. */
function Chosen({ children }: { children: (link: string, title: string) => ReactNode }) {
  const settings = useStore(() => shareUrl());
  const recording = useStore(() => recordingLink());
  const results = useResults();
  const name = useStore((s) => experimentName(s.running ?? s.experiment));
  const withResults = results !== null && typeof results !== 'string' ? results.url : null;
  const links: Record<Choice, string | null> = { settings, results: withResults, recording };
  const [choice, setChoice] = useState<Choice>(recording !== null ? 'recording' : 'settings');
  const options = [
    { value: 'settings' as const, label: 'Settings' },
    ...(withResults !== null ? [{ value: 'results' as const, label: 'With results' }] : []),
    ...(recording !== null ? [{ value: 'recording' as const, label: 'Recording' }] : []),
  ];
  return (
    <>
      {options.length > 1 && (
        <div className="share-row">
          <Segmented label="What it opens" options={options} value={choice} onChange={setChoice} />
        </div>
      )}
      {children(links[choice] ?? settings, `Q3R Playground: ${name}`)}
    </>
  );
}

/** A link as a code for a camera. */
export const Code = ({ link }: { link: string }) => (
  <Suspense fallback={<p aria-busy="true">Drawing the code…</p>}>
    <QrCode link={link} />
  </Suspense>
);
