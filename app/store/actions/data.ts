import type { DatasetName } from '../../protocol/experiment';
import type { DatasetInfo } from '../../protocol/messages';
import { getState, setState } from '../store';
import { engine } from './engine';
import { adopt } from './form';

const NO_PROGRESS = { stage: 'Opening', bytes: 0, totalBytes: 0, bytesPerSecond: 0, images: 0, totalImages: 0 };

/** Loads a data set from the nearest source. @throws WorkerError with the loader's message; the set in use stays. */
export async function loadDataset(name: DatasetName, refresh = false): Promise<DatasetInfo> {
  setState({ dataProgress: { name, ...NO_PROGRESS } });
  return settle(engine().send('loadDataset', refresh ? { name, refresh } : { name }));
}

/** Reads a data set from files: a batch archive, loose batches, or parquet. @throws WorkerError naming file, expected and found. */
export async function loadFiles(files: readonly File[], as: DatasetName = 'cifar10'): Promise<DatasetInfo> {
  setState({ dataProgress: { name: as, ...NO_PROGRESS } });
  const info = await settle(engine().send('loadFiles', { files: files.map((blob) => ({ name: blob.name, blob })), as }));
  const { experiment, preset } = getState();
  if (experiment.dataset !== info.name) adopt({ ...experiment, dataset: info.name }, preset, `the data set ${info.label}`);
  return info;
}

export async function cancelLoad(): Promise<void> {
  await engine().send('cancelLoad', {});
  setState({ dataProgress: null });
}

/** Fetches images for the thumbnails of a loaded set, once. */
export async function requestSamples(name: DatasetName, count: number): Promise<void> {
  if (getState().samples[name]) return;
  const samples = await engine().send('samples', { name, count });
  setState((s) => ({ samples: { ...s.samples, [name]: samples } }));
}

async function settle(loading: Promise<DatasetInfo>): Promise<DatasetInfo> {
  try {
    const info = await loading;
    setState((s) => ({ dataset: info, loaded: { ...s.loaded, [info.name]: info }, dataProgress: null }));
    return info;
  } finally {
    setState({ dataProgress: null });
  }
}
