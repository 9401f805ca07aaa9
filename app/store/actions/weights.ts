import type { LoadedTensors, PretrainedOptions } from '../../protocol/checkpoint';
import { ofFile, saveFile } from '../files';
import { getState } from '../store';
import { engine } from './engine';
import { takeOver } from './kept';
import { requireLive } from './leaveReplay';

/** Weights of the current run as a safetensors file in the downloads. @throws WorkerError */
export async function saveWeights(): Promise<void> {
  requireLive();
  saveFile(await engine().send('exportWeights', {}), fileName(''));
}

/** The current run with all that it needs to go on, as a safetensors file in the downloads. @throws WorkerError */
export async function saveCheckpointFile(): Promise<void> {
  requireLive();
  saveFile(await engine().send('saveCheckpoint', {}), fileName('-checkpoint'));
}

function fileName(suffix: string): string {
  const { running, experiment, step } = getState();
  const { model } = running ?? experiment;
  return `vit-${model.depth}x${model.embedDim}-p${model.patchSize}-step${step}${suffix}.safetensors`;
}

/**
 * Takes over a safetensors file, whatever it is: a checkpoint, weights of this model, or weights in timm's layout.
 * @throws WorkerError naming what is wrong with it; the run on screen then stays
 */
export async function loadTensorFile(file: Blob & { name?: string }, options: PretrainedOptions = {}): Promise<LoadedTensors> {
  const name = file.name ?? 'the file';
  return ofFile(
    name,
    takeOver(name, false, async () => loadTensors(new Uint8Array(await file.arrayBuffer()), undefined, options)),
  );
}

/** The same for bytes at hand; `as` refuses anything else. @throws WorkerError */
export const loadTensors = (
  bytes: Uint8Array<ArrayBuffer>,
  as?: 'checkpoint' | 'pretrained',
  options: PretrainedOptions = {},
): Promise<LoadedTensors> =>
  engine().send('loadTensors', { bytes, experiment: getState().experiment, ...(as && { as }), options }, [bytes.buffer]);

/** The same for a file on the web. @throws WorkerError; AbortError after `cancelTensors` */
export function fetchTensors(url: string, options: PretrainedOptions = {}): Promise<LoadedTensors> {
  const what =
    url
      .trim()
      .replace(/[?#].*$/, '')
      .split('/')
      .filter(Boolean)
      .at(-1) ?? url;
  return takeOver(what, true, () => engine().send('fetchTensors', { url, experiment: getState().experiment, options }));
}

export async function cancelTensors(): Promise<void> {
  await engine().send('cancelTensors', {});
}
