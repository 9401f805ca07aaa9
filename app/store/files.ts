/** What becomes of a missing figure: an empty cell. */
export type Cell = string | number | boolean | null | undefined;

/**
 * One line of comma-separated values with its end, RFC 4180. Numbers that are not finite are empty cells; text that a spreadsheet
 * would take for a formula is kept from it by a quote mark.
 */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`;

function cellText(cell: Cell): string {
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  if (typeof cell !== 'string') return cell == null ? '' : String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Letters and digits of a name, as a part of the name of a file: "AdamQ3R, λ 5" → "adamq3r-lambda-5". Empty where it has none. */
export const fileWords = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/λ/gi, 'lambda')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');

/** What the file of a run is called: "adamq3r-lambda-5-step400.q3r.json" */
export const runFileName = ({ name, step }: { readonly name: string; readonly step: number }): string =>
  `${fileWords(name) || 'run'}-step${step}.q3r.json`;

/** Puts a file into the downloads; text is written as UTF-8. */
export function saveFile(content: Blob | Uint8Array | string, name: string, type = 'application/octet-stream'): void {
  const blob = content instanceof Blob ? content : new Blob([content as BlobPart], { type });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Has what goes wrong with a file say which file: "run.json: This is no run file …". The error keeps its kind. */
export async function ofFile<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && error.name !== 'AbortError' && !error.message.includes(name)) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/** Puts a table of `csvLine`s into the downloads. */
export const saveCsv = (text: string, name: string): void => saveFile(text, name, 'text/csv;charset=utf-8');
