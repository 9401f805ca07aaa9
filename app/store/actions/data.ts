import { withDataset, type DatasetName } from '../../protocol/experiment';
import type { DatasetInfo } from '../../protocol/messages';
import { getState, setState, type Samples } from '../store';
import { engine } from './engine';
import { adopt, requestPlan } from './form';
import { moderatePatch, tellPatch } from './patch';
import { notify } from './view';

const NO_PROGRESS = { stage: 'Opening', bytes: 0, totalBytes: 0, bytesPerSecond: 0, images: 0, totalImages: 0 };

/** Loads a data set from the nearest source. @throws WorkerError with the loader's message; the set in use stays. */
export async function loadDataset(name: DatasetName, refresh = false): Promise<DatasetInfo> {
  setState({ dataProgress: { name, ...NO_PROGRESS } });
  return settle(engine().send('loadDataset', refresh ? { name, refresh } : { name }));
}

/** A file with its path, where it came in a folder. */
export interface PathFile {
  readonly name: string;
  readonly blob: Blob;
}
const withPath = (file: File | PathFile): PathFile => ('blob' in file ? file : { name: file.webkitRelativePath || file.name, blob: file });

/**
 * Reads a data set from files; which one, they say themselves unless `as` does. Then it is the chosen one. @throws WorkerError naming file,
 * expected and found; the set in use stays.
 */
export async function loadFiles(files: readonly (File | PathFile)[], as?: DatasetName): Promise<DatasetInfo> {
  const chosen = getState().experiment.dataset;
  setState({ dataProgress: { name: as ?? chosen, ...NO_PROGRESS } });
  const info = await settle(engine().send('loadFiles', { files: files.map(withPath), ...(as && { as }), chosen }));
  choose(info);
  return info;
}

/** Puts a set that was loaded from files into the form. */
function choose(info: DatasetInfo): void {
  const { experiment, preset } = getState();
  const next = withDataset(experiment, info.name);
  const patchSize = info.name === 'folder' ? moderatePatch(next.model.patchSize, info.imageSize) : next.model.patchSize;
  if (experiment.dataset === info.name && patchSize === next.model.patchSize) {
    requestPlan();
    return;
  }
  adopt({ ...next, model: { ...next.model, patchSize } }, preset, `the data set ${info.label}`);
  tellPatch(experiment.model.patchSize, next);
  if (patchSize !== next.model.patchSize)
    notify(
      'info',
      `${info.label} have ${info.imageSize} × ${info.imageSize} pixels: the patch size is now ${patchSize}, which makes ${(info.imageSize / patchSize) ** 2} tokens; ${next.model.patchSize} would make ${(info.imageSize / next.model.patchSize) ** 2}.`,
    );
}

export async function cancelLoad(): Promise<void> {
  await engine().send('cancelLoad', {});
  setState({ dataProgress: null });
}

/** A batch of training images as a run of the shown experiment gets them; `draw` counts the batches. */
export function preview(count: number, draw: number): Promise<Samples> {
  const { experiment } = getState();
  return engine().send('preview', { name: experiment.dataset, count, draw, experiment });
}

/** Fetches images for the thumbnails of a loaded set, once. */
export async function requestSamples(name: DatasetName, count: number): Promise<void> {
  if (getState().samples[name]) return;
  const samples = await engine().send('samples', { name, count });
  // Where nothing was loaded, nothing is remembered.
  if (samples.images.length > 0) setState((s) => ({ samples: { ...s.samples, [name]: samples } }));
}

async function settle(loading: Promise<DatasetInfo>): Promise<DatasetInfo> {
  try {
    const info = await loading;
    // Images of what was loaded before are not those of this set.
    setState((s) => ({
      dataset: info,
      loaded: { ...s.loaded, [info.name]: info },
      samples: { ...s.samples, [info.name]: undefined },
      dataProgress: null,
    }));
    return info;
  } finally {
    setState({ dataProgress: null });
  }
}
