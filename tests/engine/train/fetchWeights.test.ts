import { expect, test } from 'vitest';
import { fetchBytes, fileAddress } from '../../../app/engine/train/fetchWeights';
import { TensorFileError } from '../../../app/engine/train/safetensors';
import { serve } from '../data/fixtures';

const at = (path: string): URL => new URL(`/stream-test/${path}`, location.href);
const body = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
const quiet = () => ({ signal: new AbortController().signal, onProgress: () => undefined });
const failure = async (load: Promise<unknown>): Promise<Error> => {
  const error = await load.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
};

test('a file arrives as it is, with its progress', async () => {
  await serve('weights/good', body);
  const seen: [number, number][] = [];
  const got = await fetchBytes(at('weights/good'), { ...quiet(), onProgress: (bytes, total) => seen.push([bytes, total]) });
  expect(got).toEqual(body);
  expect(seen.at(-1)).toEqual([body.length, body.length]);
});

test('what the server says instead is told', async () => {
  await serve('weights/none', 'no', { status: 404 });
  expect((await failure(fetchBytes(at('weights/none'), quiet()))).message).toMatch(/answered 404.* There is no such file\.$/);
  await serve('weights/closed', 'no', { status: 401 });
  expect((await failure(fetchBytes(at('weights/closed'), quiet()))).message).toMatch(/answered 401.* asks for a login/);
  await serve('weights/page', '<html>', { type: 'text/html; charset=utf-8' });
  expect((await failure(fetchBytes(at('weights/page'), quiet()))).message).toMatch(/a web page, not with a file/);
  await serve('weights/cut', body, { cutAfter: 100_000, cuts: 9 });
  expect((await failure(fetchBytes(at('weights/cut'), quiet()))).message).toMatch(/broke after 0\.\d MB|of 0\.3 MB and then ended/);
  const none = await failure(fetchBytes(new URL('http://127.0.0.1:9/x'), quiet()));
  expect(none).toBeInstanceOf(TensorFileError);
  expect(none.message).toMatch(
    /127\.0\.0\.1:9 could not be read .*no connection, or the server does not let other pages read it \(CORS\).*drop it on this page/,
  );
});

test('what is too large is refused, whether it says so or not', async () => {
  await serve('weights/large', body);
  const small = { ...quiet(), maxBytes: 200_000 };
  expect((await failure(fetchBytes(at('weights/large'), small))).message).toBe('The file has 0.3 MB, and at most 0.2 MB are fetched.');
  await serve('weights/mute', body, { noLength: true });
  expect((await failure(fetchBytes(at('weights/mute'), small))).message).toBe('The file has more, and at most 0.2 MB are fetched.');
});

test('cancelling ends it at once', async () => {
  await serve('weights/slow', body, { delayMs: 200, chunk: 10_000 });
  const stop = new AbortController();
  const ended = failure(fetchBytes(at('weights/slow'), { signal: stop.signal, onProgress: () => stop.abort() }));
  expect((await ended).name).toBe('AbortError');
});

test('addresses: of the hub, of the site, and none', () => {
  const base = 'https://site.example/app/';
  expect(fileAddress(' https://huggingface.co/timm/vit/blob/main/model.safetensors ', base).href).toBe(
    'https://huggingface.co/timm/vit/resolve/main/model.safetensors',
  );
  expect(fileAddress('data/w.safetensors', base).href).toBe('https://site.example/app/data/w.safetensors');
  expect(() => fileAddress('file:///etc/passwd', base)).toThrow(/begin with file:/);
  expect(() => fileAddress('https://', base)).toThrow(/is not an address/);
});
