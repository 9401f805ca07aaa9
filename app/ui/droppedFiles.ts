import type { PathFile } from '../store/actions';

/** More than any data set that fits; a whole disk dropped by mistake is noticed here. */
const MAX_FILES = 200_000;

/** The files of a drop, those in folders with their paths. Call it in the event itself: later the browser has forgotten them. */
export async function droppedFiles(transfer: DataTransfer): Promise<PathFile[]> {
  const plain = [...transfer.files].map((blob): PathFile => ({ name: blob.name, blob }));
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.some((entry) => entry.isDirectory)) return plain;
  const out: PathFile[] = [];
  for (const entry of entries) await collect(entry, out);
  return out;
}

async function collect(entry: FileSystemEntry, out: PathFile[]): Promise<void> {
  if (out.length >= MAX_FILES) throw new Error(`The folder holds more than ${MAX_FILES} files: drop the folder with the images only.`);
  if (isFile(entry)) {
    const blob = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    out.push({ name: entry.fullPath.replace(/^\//, ''), blob });
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    // A reader gives a hundred at a time, and none when it is done.
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const inner of some) await collect(inner, out);
    }
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
