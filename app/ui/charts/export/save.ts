import { fileWords, saveFile } from '../../../store/files';
import { getState, type AppState } from '../../../store/store';
import { experimentName } from '../../datasets';
import { palette, type Context } from '../canvas';
import { methodName } from '../methodName';
import { viewedSpectra } from '../viewed';
import type { Format, Item } from './items';
import { pictureOf } from './pictures';
import { SvgSurface } from './svgSurface';
import { itemsWithData, linesOf, selectedMatrix } from './tables';

/** Pixels of a PNG to a CSS pixel. */
const DENSITY = 2;
/** So long the page may be kept from what else it has to do, milliseconds. */
const SLICE_MS = 8;
const CHUNK = 1 << 16;

/** "vit-nano-8-on-shapes-adamq3r-step-1200": the run on screen and its step, or that of the spectra that are looked at. */
export function fileStem(s: AppState, item?: Item): string {
  if (item === 'roofline' && s.roofline) {
    const { device, experiment, date } = s.roofline;
    return fileWords(`${experimentName(experiment)} ${methodName(experiment.method.name)} ${device} ${date.slice(0, 10)}`);
  }
  const experiment = s.running ?? s.experiment;
  const spectral = item === 'wall' || item === 'spectrum';
  const step = spectral ? (viewedSpectra()?.step ?? s.step) : item === 'truncation' ? (s.curves[s.cutBy]?.step ?? s.step) : s.step;
  return fileWords(`${experimentName(experiment)} ${methodName(experiment.method.name)} step ${step}`);
}

/** "…-step-1200-loss.csv" */
export function fileName(s: AppState, item: Item, format: Format): string {
  const matrix = item === 'spectrum' || item === 'heat' ? `-${fileWords(selectedMatrix(s)?.matrix.name ?? '')}` : '';
  const what = { wall: 'spectra', spectrum: 'spectrum', heat: 'spectrum-over-time', truncation: 'truncation' };
  const name = item in what ? what[item as keyof typeof what] : item === 'regularizer' ? 'q3r-value' : item;
  return `${fileStem(s, item)}${matrix}-${fileWords(name)}.${format}`;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Lines as encoded chunks; the page goes on in between. */
async function* encoded(lines: Iterable<string>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let text = '';
  let since = performance.now();
  for (const line of lines) {
    text += line;
    if (text.length >= CHUNK) {
      yield encoder.encode(text);
      text = '';
    }
    if (performance.now() - since > SLICE_MS) {
      await pause();
      since = performance.now();
    }
  }
  yield encoder.encode(text);
}

async function csv(s: AppState, item: Item): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of encoded(linesOf(s, item))) parts.push(part);
  return new Blob(parts, { type: 'text/csv;charset=utf-8' });
}

function image(s: AppState, item: Item, format: 'png' | 'svg'): Promise<Blob> | Blob {
  const picture = pictureOf(s, item);
  if (!picture) throw new Error('There is nothing to save yet: the picture is empty.');
  const { width, height, title, paint } = picture;
  // A file has no projector: its sizes are those of a plain screen.
  const p = { ...palette(), scale: 1 };
  if (format === 'svg') {
    const surface = new SvgSurface(width, height, title);
    paint(surface.context, p);
    return new Blob([surface.text()], { type: 'image/svg+xml' });
  }
  const canvas = new OffscreenCanvas(width * DENSITY, height * DENSITY);
  const g = canvas.getContext('2d');
  if (!g) throw new Error('The browser gave no canvas to paint the picture on.');
  g.scale(DENSITY, DENSITY);
  g.lineJoin = 'round';
  paint(g as unknown as Context, p);
  return canvas.convertToBlob({ type: 'image/png' });
}

/** Saves a picture as the page shows it now, or all data behind it. @throws Error when there is nothing to save */
export async function save(item: Item, format: Format): Promise<void> {
  const s = getState();
  const name = fileName(s, item, format);
  saveFile(format === 'csv' ? await csv(s, item) : await image(s, item, format), name);
}

/** Saves the data behind all pictures as one archive; `told` hears of the share that is done. @throws Error when there are none */
export async function saveAll(told: (share: number) => void): Promise<void> {
  const s = getState();
  const items = itemsWithData(s);
  if (items.length === 0) throw new Error('There is nothing to save yet: no run has made a step.');
  const { AsyncZipDeflate, Zip } = await import('fflate');
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let finish: (error: Error | null) => void = () => undefined;
  const finished = new Promise<Error | null>((resolve) => (finish = resolve));
  const zip = new Zip((error, part, last) => {
    if (error) return finish(error);
    parts.push(part);
    if (last) finish(null);
  });
  const stem = fileStem(s);
  for (const [i, item] of items.entries()) {
    told(i / items.length);
    // Packed by a worker: 64 kB take 40 ms.
    const file = new AsyncZipDeflate(`${stem}/${fileName(s, item, 'csv')}`, { level: 6 });
    zip.add(file);
    for await (const chunk of encoded(linesOf(s, item))) file.push(chunk);
    file.push(new Uint8Array(), true);
  }
  zip.end();
  const failure = await finished;
  if (failure) throw failure;
  saveFile(new Blob(parts, { type: 'application/zip' }), `${stem}.zip`);
}
