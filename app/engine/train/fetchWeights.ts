import { TensorFileError } from './safetensors';

/** Largest file that is fetched: a ViT-Large in float32 has 1.2 GB, and one array holds 2 GB at most. */
export const MAX_FETCH = 1.6e9;
const AT_HAND = 'Download the file and drop it on this page instead.';

/** The address of the file itself where that of its page was given. @throws TensorFileError when it is no web address */
export function fileAddress(text: string, base: string): URL {
  let url: URL;
  try {
    url = new URL(text.trim(), base);
  } catch {
    throw new TensorFileError(
      `"${text.trim().slice(0, 80)}" is not an address. Expected is one such as https://example.org/vit.safetensors.`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TensorFileError(`Addresses that begin with ${url.protocol} cannot be fetched; expected is https://.`);
  if (/(^|\.)huggingface\.co$/.test(url.hostname)) url.pathname = url.pathname.replace(/^(\/[^/]+\/[^/]+)\/blob\//, '$1/resolve/');
  return url;
}

/**
 * Fetches a file with one plain GET and without cookies.
 * @throws TensorFileError saying what the server answered, that it cannot be read from here, or that it is too large; AbortError
 */
export async function fetchBytes(
  url: URL,
  {
    signal,
    onProgress,
    maxBytes = MAX_FETCH,
  }: { signal: AbortSignal; onProgress: (bytes: number, total: number) => void; maxBytes?: number },
): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
  } catch (error) {
    if (signal.aborted) throw stopped();
    throw new TensorFileError(
      `${url.host} could not be read (${reason(error)}): either there is no connection, or the server does not let other pages read it (CORS). ${AT_HAND}`,
    );
  }
  if (!response.ok || !response.body) {
    const why = { 401: ' It asks for a login.', 403: ' It does not give the file to everybody.', 404: ' There is no such file.' }[
      response.status
    ];
    throw new TensorFileError(`${url.host} answered ${`${response.status} ${response.statusText}`.trim()}.${why ?? ''}`);
  }
  if (/text\/html/i.test(response.headers.get('content-type') ?? ''))
    throw new TensorFileError(`${url.host} answered with a web page, not with a file. Give the address of the file itself.`);
  const length = Number(response.headers.get('content-length') ?? 0);
  const total = response.headers.has('content-encoding') || !Number.isFinite(length) ? 0 : length;
  const tooLarge = (bytes: number): TensorFileError =>
    new TensorFileError(
      `The file has ${bytes > maxBytes && total ? `${megabytes(bytes)} MB` : 'more'}, and at most ${megabytes(maxBytes)} MB are fetched.`,
    );
  if (total > maxBytes) {
    await response.body.cancel().catch(() => undefined);
    throw tooLarge(total);
  }
  const chunks: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      received += value.length;
      if (received > maxBytes) throw tooLarge(received);
      chunks.push(value);
      onProgress(received, total);
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    if (signal.aborted) throw stopped();
    if (error instanceof TensorFileError) throw error;
    throw new TensorFileError(`The connection to ${url.host} broke after ${megabytes(received)} MB (${reason(error)}). Try again.`);
  }
  // Proxies end a broken transfer as if it were whole.
  if (received < total)
    throw new TensorFileError(`${url.host} sent ${megabytes(received)} of ${megabytes(total)} MB and then ended. Try again.`);
  const out = new Uint8Array(received);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const stopped = (): DOMException => new DOMException('Loading was cancelled.', 'AbortError');
