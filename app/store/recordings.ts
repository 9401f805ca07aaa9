import * as v from 'valibot';

/** A recording that came with the page. */
export interface Recording {
  /** Its file in `runs/`. */
  readonly file: string;
  /** Of the run. */
  readonly name: string;
  /** What to offer it as. */
  readonly label: string;
}

/** A recording cannot be had; the message says why. */
export class ReplayError extends Error {
  override name = 'ReplayError';
}

/** Most bytes of a recording, as it is sent and as it is read. */
export const MAX_BYTES = 64 * 2 ** 20;
const limit = `${MAX_BYTES / 2 ** 20} MB`;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
const index = v.array(v.object({ file: v.pipe(text, v.regex(/^[\w.-]+$/)), name: text, label: text }));

/** The page's folder of recordings. */
const folder = (): URL => new URL('runs/', new URL('.', document.baseURI));

/** The recordings that came with the page; none where there is no list of them. */
export async function listRecordings(): Promise<Recording[]> {
  try {
    const response = await fetch(new URL('index.json', folder()));
    return response.ok ? v.parse(index, await response.json()) : [];
  } catch {
    return [];
  }
}

/** What a link calls a recording: its file without the endings. */
export const recordingName = (file: string): string => file.replace(/\..*$/, '');

/** The address of a recording: a name is one that came with the page, all else an address, relative to the page. @throws ReplayError */
export async function recordingUrl(source: string): Promise<URL> {
  if (/^[\w-]+$/.test(source)) {
    const recordings = await listRecordings();
    const found = recordings.find(({ file }) => recordingName(file) === source);
    if (found) return new URL(found.file, folder());
    const names = recordings.map(({ file }) => recordingName(file)).join(', ');
    throw new ReplayError(
      `This page has no recording "${source.slice(0, 80)}"; ${names ? `it has ${names}` : 'it came without recordings'}.`,
    );
  }
  let url: URL;
  try {
    url = new URL(source, new URL('.', document.baseURI));
  } catch {
    throw new ReplayError(`"${source.slice(0, 80)}" is neither the name of a recording nor an address.`);
  }
  if (url.protocol !== 'https:' && url.origin !== location.origin)
    throw new ReplayError(`A recording is fetched over https only, not from ${url.protocol}//${url.host}.`);
  return url;
}

/** The text of the file at the address. @throws ReplayError; AbortError after `signal` */
export async function fetchText(url: URL, signal: AbortSignal, progress: (bytes: number, totalBytes: number) => void): Promise<string> {
  const where = url.origin === location.origin ? url.pathname : url.href;
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new ReplayError(
      `The recording could not be fetched from ${url.host}: there is no connection, or that server allows no other page to read its files.`,
    );
  });
  if (!response.ok)
    throw new ReplayError(
      response.status === 404
        ? `There is no recording at ${where} (404).`
        : `The server answered ${response.status} to the request for ${where}.`,
    );
  const total = Number(response.headers.get('content-length')) || 0;
  if (total > MAX_BYTES) throw new ReplayError(`The recording has ${Math.ceil(total / 2 ** 20)} MB; at most ${limit} are read.`);
  return readText(response.body ?? new ReadableStream(), (bytes) => progress(bytes, total));
}

/** The text of a stream of bytes, gzip or not, up to the limit. @throws ReplayError */
export async function readText(stream: ReadableStream<Uint8Array>, progress: (bytes: number) => void = () => undefined): Promise<string> {
  const bytes = await collect(stream, progress);
  // Servers send .gz files as they are, or with the encoding in the header: then they arrive unpacked.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder().decode(bytes);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new TextDecoder().decode(
    await collect(unpacked, () => undefined).catch((error: unknown) => {
      throw error instanceof ReplayError ? error : new ReplayError('The recording is a damaged gzip file.');
    }),
  );
}

async function collect(stream: ReadableStream<Uint8Array>, progress: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_BYTES) {
      await reader.cancel();
      throw new ReplayError(`The recording has more than ${limit}; no more is read.`);
    }
    parts.push(value);
    progress(size);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
