import { replayHash } from '../../protocol/linkParts';
import type { RunRecord } from '../../protocol/run/record';
import type { PackedResults, Results } from '../../protocol/run/resultsLink';
import { columnsOf, seriesOf } from '../../protocol/run/series';
import { recorder } from '../recorder';
import { getState } from '../store';
import { shareUrl } from './page';
import { lastOf, replayed } from './replay';
import { saveRecord } from './runs';

/** Longest link with results, characters. */
export const MAX_LINK = 8000;

/** A link with results, and what it holds. */
export interface ResultsUrl extends PackedResults {
  readonly url: string;
}

/** The whole run on screen, live or recorded; null where there is none, or only what a link holds of one. */
export const wholeRun = (): RunRecord | null => replayed()?.record ?? recorder.record();

/** There is something to share beside the settings. */
export const hasResults = (): boolean => getState().running !== null && getState().step > 0;

/** The link to the run on screen with its results, as much of them as fits. @throws ResultsLinkError where not even the least does */
export async function resultsUrl(): Promise<ResultsUrl | null> {
  const { encodeResults } = await import('../../protocol/run/resultsLink');
  const run = wholeRun();
  const link: Results | null = replayed()?.results ?? null;
  // A run under way uses its own settings, whatever the form shows.
  const { running } = getState();
  if (!running || !(run ?? link)) return null;
  const base = `${shareUrl(running)}&results=`;
  const room = MAX_LINK - base.length;
  const packed = run
    ? encodeResults(run, (points) => seriesOf(columnsOf(run.rows), run.evaluations, { ...view(), points }), lastOf(run), room)
    : encodeResults(link!.run, () => link!.series, link!.latest, room);
  return { ...packed, url: base + packed.text };
}
const view = () => ({ runId: 0, smoothing: getState().smoothing });

/** The link to the recording on screen; null where it has no address. */
export function recordingLink(): string | null {
  const source = getState().replay?.source ?? null;
  return source === null ? null : location.href.replace(/#.*$/, '') + replayHash(source);
}

/** The run on screen as a file in the downloads; it can be opened here again. False where there is none. */
export async function saveScreenRun(): Promise<boolean> {
  const run = wholeRun();
  if (!run) return false;
  await saveRecord(run);
  return true;
}

/** A link that opens as a frame, without bars and rails. */
export const embedUrl = (link: string): string => (link.includes('#') ? `${link}&embed=1` : `${link}#embed=1`);

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** The element that shows a link in another page. */
export const embedCode = (link: string, width: number, height: number, title: string): string =>
  `<iframe src="${escaped(embedUrl(link))}" width="${width}" height="${height}" title="${escaped(title)}" allow="fullscreen; clipboard-write" loading="lazy" style="border: 0"></iframe>`;
