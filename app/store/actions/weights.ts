import { getState } from '../store';
import { engine } from './engine';
import { prepare } from './run';
import { notify } from './view';

/** Weights of the current run as a safetensors file in the downloads. @throws WorkerError */
export async function saveWeights(): Promise<void> {
  const bytes = await engine().send('exportWeights', {});
  const { running, experiment, step } = getState();
  const { model } = running ?? experiment;
  save(bytes, `vit-${model.depth}x${model.embedDim}-p${model.patchSize}-step${step}.safetensors`);
}

/** Puts bytes into the downloads. */
export function save(bytes: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Reads a safetensors file into the current model. @throws WorkerError naming the tensor that does not fit */
export async function loadWeights(file: Blob & { name?: string }): Promise<void> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  await prepare();
  await engine().send('importWeights', { bytes }, [bytes.buffer]);
  notify('info', `Weights of ${file.name ?? 'the file'} loaded.`);
}
