import { Sha256 } from './formats/checksums';
import { chunksOf } from './formats/streams';
import type { Pace } from './pace';
import { folder, readFile, removeFile, writeFile } from './storage';
import { DataError, reasonOf } from './types';

/** Pieces are handed to the browser's blob storage, which may move them to disk, once this much has arrived. */
const PIECE = 4 << 20;
/** Folder of what arrived of downloads that are not finished. */
export const PARTIAL = 'partial';

export interface DownloadOptions {
  url: string;
  /** Name in messages. */
  name: string;
  /** What is known of the file; used for progress and, unless it is `about` right, to notice one that ends early. */
  bytes: number;
  about?: boolean;
  /** What else the visitor can do, a sentence. */
  otherwise: string;
  /** Refused beyond this. */
  maxBytes: number;
  /**
   * Whether a broken download may go on where it stopped, with a Range request. Only for the site's own server: for
   * another origin it is a header that servers behind redirects have answered with an error.
   */
  resumable: boolean;
}

export interface Downloaded {
  blob: Blob;
  sha256: string;
}

/** What is remembered of a file that was not finished, or whose data set was not. */
interface Kept {
  url: string;
  etag: string;
  total: number;
  size: number;
  /** Its name in the folder. */
  file: string;
}

const keyOf = (url: string) => new Sha256().update(new TextEncoder().encode(url)).hex().slice(0, 24);

/**
 * Downloads a file with one plain GET. Counts `pace.bytes`. What arrived of a broken download is kept, and continued
 * from the next time where the server can. Errors: DataError `network` with how much arrived.
 */
export async function download(o: DownloadOptions, pace: Pace): Promise<Downloaded> {
  const prior = await loadPartial(o.url);
  // A whole file that was kept because the one after it failed.
  if (prior && prior.blob.size === prior.total) return finish(o, [prior.blob], pace);
  const start = o.resumable && prior ? prior : undefined;
  const headers: Record<string, string> = start
    ? { range: `bytes=${start.blob.size}-`, ...(start.etag ? { 'if-range': start.etag } : {}) }
    : {};
  const response = await get(o, headers, pace);
  if (start && response.status === 416) {
    await dropPartial(o.url);
    return download(o, pace);
  }
  const resumed =
    start !== undefined && response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${start.blob.size}-`);
  if (!response.ok || !response.body || (response.status === 206 && !resumed)) {
    throw network(o, `${o.name} from ${hostOf(o.url)}`, `the answer ${response.status} ${response.statusText}`.trim(), 'Try again later.');
  }
  if (/text\/html/i.test(response.headers.get('content-type') ?? '')) {
    throw network(o, `${o.name} from ${hostOf(o.url)}`, 'a web page', 'Try again later, or check whether this network asks for a login.');
  }
  const pieces: Blob[] = resumed ? [start.blob] : [];
  let received = resumed ? start.blob.size : 0;
  const length = Number(response.headers.get('content-length') ?? NaN);
  const encoded = response.headers.has('content-encoding');
  const total = Number.isFinite(length) && length > 0 && !encoded ? received + length : o.about ? 0 : o.bytes;
  if (total > o.maxBytes) throw new DataError(o.name, `at most ${o.maxBytes} bytes`, `${total}`, o.otherwise);
  pace.bytes += received;
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let waitingBytes = 0;
  const flush = () => {
    if (waiting.length > 0) pieces.push(new Blob(waiting));
    waiting = [];
    waitingBytes = 0;
  };
  try {
    for await (const chunk of chunksOf(response.body, pace)) {
      waiting.push(chunk as Uint8Array<ArrayBuffer>);
      waitingBytes += chunk.length;
      received += chunk.length;
      pace.bytes += chunk.length;
      if (received > Math.max(o.maxBytes, total)) throw new DataError(o.name, `at most ${o.maxBytes} bytes`, 'more', o.otherwise);
      if (waitingBytes >= PIECE) flush();
    }
  } catch (error) {
    if (pace.signal.aborted) await dropPartial(o.url);
    pace.check();
    if (error instanceof DataError) throw error;
    flush();
    throw await broken(o, pieces, received, total, response, reasonOf(error));
  }
  flush();
  // Proxies end a broken transfer as if it were whole.
  if (total > 0 && received < total) throw await broken(o, pieces, received, total, response, 'it ended early');
  return finish(o, pieces, pace, received);
}

async function get(o: DownloadOptions, headers: Record<string, string>, pace: Pace): Promise<Response> {
  try {
    return await fetch(o.url, { signal: pace.signal, headers, credentials: o.resumable ? 'same-origin' : 'omit' });
  } catch (error) {
    pace.check();
    const next = 'Check the connection and try again.';
    throw network(o, `an answer from ${hostOf(o.url)}`, `none (${reasonOf(error)})`, next);
  }
}

async function broken(
  o: DownloadOptions,
  pieces: Blob[],
  received: number,
  total: number,
  response: Response,
  reason: string,
): Promise<DataError> {
  const kept = o.resumable && received > 0 && (await savePartial(o.url, new Blob(pieces), response.headers.get('etag') ?? '', total));
  const next = kept ? 'Try again: it continues where it stopped.' : 'Try again: it starts from the beginning.';
  const of = total > 0 ? `${total} bytes` : 'the whole file';
  return network(o, of, `${received} bytes: the connection broke (${reason})`, next);
}

const hostOf = (url: string) => new URL(url, globalThis.location?.href).host;
const network = (o: DownloadOptions, expected: string, found: string, next: string) =>
  new DataError(o.name, expected, found, `${next} ${o.otherwise}`, 'network');

async function finish(o: DownloadOptions, pieces: Blob[], pace: Pace, counted = 0): Promise<Downloaded> {
  const blob = new Blob(pieces);
  if (counted === 0) pace.bytes += blob.size;
  pace.stage = `Checking ${o.name}`;
  const sha = new Sha256();
  for await (const chunk of chunksOf(blob.stream(), pace)) sha.update(chunk);
  return { blob, sha256: sha.hex() };
}

/** Keeps a finished download for the next attempt, for when another file of the same data set failed. */
export const keepDownload = (url: string, blob: Blob) => savePartial(url, blob, '', blob.size);

/** Forgets what was kept of this address. */
export async function dropPartial(url: string): Promise<void> {
  try {
    const dir = await folder(PARTIAL);
    for (const end of ['json', 'a', 'b']) await removeFile(dir, `${keyOf(url)}.${end}`);
  } catch {
    // Without storage nothing was kept.
  }
}

/** True when it was kept. Losing it costs only time, so a full disk is no error here. */
async function savePartial(url: string, blob: Blob, etag: string, total: number): Promise<boolean> {
  try {
    const dir = await folder(PARTIAL);
    const key = keyOf(url);
    // The new bytes may begin with those kept before, so these are removed last.
    const before = await readKept(dir, url);
    const file = before?.file === `${key}.a` ? `${key}.b` : `${key}.a`;
    const kept: Kept = { url, etag, total, size: blob.size, file };
    await writeFile(dir, file, [blob], () => Promise.resolve());
    await writeFile(dir, `${key}.json`, [new Blob([JSON.stringify(kept)])], () => Promise.resolve());
    if (before) await removeFile(dir, before.file);
    return true;
  } catch {
    await dropPartial(url);
    return false;
  }
}

async function readKept(dir: FileSystemDirectoryHandle, url: string): Promise<Kept | undefined> {
  const description = await readFile(dir, `${keyOf(url)}.json`);
  if (!description || description.size > 1 << 16) return undefined;
  const kept = JSON.parse(await description.text()) as Kept;
  const whole = kept.url === url && typeof kept.total === 'number' && typeof kept.etag === 'string' && typeof kept.file === 'string';
  return whole ? kept : undefined;
}

async function loadPartial(url: string): Promise<(Kept & { blob: Blob }) | undefined> {
  try {
    const dir = await folder(PARTIAL);
    const kept = await readKept(dir, url);
    const blob = kept && (await readFile(dir, kept.file));
    return blob && blob.size > 0 && blob.size === kept.size ? { ...kept, blob } : undefined;
  } catch {
    return undefined;
  }
}
