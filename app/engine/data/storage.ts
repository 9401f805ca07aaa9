/** The origin private file system, reduced to what the data room needs. Works in workers and, for tests, on the page. */

/** The part of FileSystemSyncAccessHandle used here; the DOM types know it only inside workers. */
interface SyncHandle {
  write(bytes: Uint8Array, at: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

const ROOT = 'q3r-data';
const PIECE = 4 << 20;

/** The browser's own folder for this site and data set. Throws where there is none, as in some private windows and in Node. */
export async function folder(name: string): Promise<FileSystemDirectoryHandle> {
  if (typeof navigator === 'undefined' || typeof navigator.storage?.getDirectory !== 'function') {
    throw new DOMException('This browser has no private file system.', 'NotSupportedError');
  }
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
  return root.getDirectoryHandle(name, { create: true });
}

/** Removes the folder and all that is in it. */
export async function removeFolder(name: string): Promise<void> {
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
    await root.removeEntry(name, { recursive: true });
  } catch {
    // There is none.
  }
}

/** The file's content, or null where there is no such file. */
export async function readFile(dir: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  try {
    return await (await dir.getFileHandle(name)).getFile();
  } catch {
    return null;
  }
}

export async function removeFile(dir: FileSystemDirectoryHandle, name: string): Promise<void> {
  await dir.removeEntry(name).catch(() => undefined);
}

/**
 * Replaces the file by `pieces`, in order. `between` is awaited between writes and may throw to stop. A failed write
 * leaves no file. Throws QuotaExceededError where there is no room.
 */
export async function writeFile(
  dir: FileSystemDirectoryHandle,
  name: string,
  pieces: readonly (Uint8Array<ArrayBuffer> | Blob)[],
  between: () => Promise<void>,
): Promise<void> {
  const handle = await dir.getFileHandle(name, { create: true });
  const sink = await openSink(handle);
  try {
    for await (const bytes of split(pieces)) {
      await sink.write(bytes);
      await between();
    }
    await sink.close();
  } catch (error) {
    await sink.abort();
    await removeFile(dir, name);
    throw error;
  }
}

async function* split(pieces: readonly (Uint8Array<ArrayBuffer> | Blob)[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const piece of pieces) {
    const size = piece instanceof Blob ? piece.size : piece.length;
    for (let at = 0; at < size; at += PIECE) {
      const end = Math.min(size, at + PIECE);
      yield piece instanceof Blob ? new Uint8Array(await piece.slice(at, end).arrayBuffer()) : piece.subarray(at, end);
    }
  }
}

interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Synchronous handles, which only workers have, are several times as fast; Safari has nothing else. */
async function openSink(handle: FileSystemFileHandle): Promise<Sink> {
  const open = (handle as unknown as { createSyncAccessHandle?: () => Promise<SyncHandle> }).createSyncAccessHandle;
  if (typeof open !== 'function') {
    const stream = await handle.createWritable();
    return {
      write: (bytes) => stream.write(bytes),
      close: () => stream.close(),
      abort: () => stream.abort().catch(() => undefined),
    };
  }
  const file = await open.call(handle);
  file.truncate(0);
  let at = 0;
  return {
    write(bytes) {
      const written = file.write(bytes, { at });
      if (written < bytes.length) throw new DOMException(`${written} of ${bytes.length} bytes were stored.`, 'QuotaExceededError');
      at += written;
      return Promise.resolve();
    },
    close() {
      file.flush();
      file.close();
      return Promise.resolve();
    },
    abort() {
      file.close();
      return Promise.resolve();
    },
  };
}
