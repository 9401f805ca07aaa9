import type { Pace } from '../pace';
import { FormatError } from './formatError';

/**
 * The chunks of a stream, with a cancel noticed while waiting for the next one. The stream is cancelled when the loop
 * ends early.
 */
export async function* chunksOf(stream: ReadableStream<Uint8Array>, pace: Pace): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  pace.signal.addEventListener('abort', stop);
  try {
    for (;;) {
      await pace.breathe();
      const { done, value } = await reader.read();
      pace.check();
      if (done) return;
      yield value;
    }
  } finally {
    pace.signal.removeEventListener('abort', stop);
    stop();
  }
}

/** A blob's bytes, counted into the progress as they are read. */
export function countedStream(blob: Blob, pace: Pace): ReadableStream<Uint8Array<ArrayBuffer>> {
  return blob.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        pace.bytes += chunk.length;
        controller.enqueue(chunk);
      },
    }),
  );
}

/** What a gzip stream holds. The browser checks length and CRC-32; its complaints become FormatErrors. */
export async function* gunzip(stream: ReadableStream<Uint8Array<ArrayBuffer>>, pace: Pace): AsyncGenerator<Uint8Array> {
  const chunks = chunksOf(stream.pipeThrough(new DecompressionStream('gzip')), pace);
  let inflated = 0;
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        pace.check();
        // Reading the file itself may fail too; that is no fault of its format.
        throw error instanceof DOMException ? error : gzipError(error, inflated);
      });
      if (next.done) return;
      inflated += next.value.length;
      yield next.value;
    }
  } finally {
    await chunks.return(undefined);
  }
}

function gzipError(error: unknown, inflated: number): FormatError {
  const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
  const cut = /truncat|unexpected end/i.test(reason);
  const found = cut ? `one that is cut short (${inflated} bytes unpacked)` : `damaged data after ${inflated} bytes (${reason})`;
  return new FormatError('a complete gzip file', found, 'Get the file again: it did not arrive whole.');
}

/** The first bytes of what arrives (fewer than `count` where it ends before), and all of it again. */
export async function peek(
  source: AsyncGenerator<Uint8Array>,
  count: number,
): Promise<{ head: Uint8Array; chunks: AsyncGenerator<Uint8Array> }> {
  const seen: Uint8Array[] = [];
  let length = 0;
  while (length < count) {
    const next = await source.next();
    if (next.done) break;
    seen.push(next.value);
    length += next.value.length;
  }
  const head = new Uint8Array(Math.min(length, count));
  let at = 0;
  for (const part of seen) {
    head.set(part.subarray(0, head.length - at), at);
    at = Math.min(head.length, at + part.length);
  }
  async function* again(): AsyncGenerator<Uint8Array> {
    try {
      yield* seen;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  }
  return { head, chunks: again() };
}
