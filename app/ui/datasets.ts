import { DATASET_CONFIGS, type DatasetConfig } from '../engine/data/config';
import { DATASETS, type DatasetName, type Experiment } from '../protocol/experiment';
import { modelName } from '../protocol/presets';
import { bytes, text } from './format';

export { DATASET_CONFIGS };
/** In the order in which they are offered. */
export const DATASET_LIST: readonly (DatasetConfig & { readonly name: DatasetName })[] = DATASETS.map((name) => DATASET_CONFIGS[name]);

/** "ViT-Nano/8 on Shapes" */
export const experimentName = (experiment: Experiment): string =>
  `${modelName(experiment)} on ${DATASET_CONFIGS[experiment.dataset].label}`;

/** What file choosers offer. IDX files have no ending of their own, so MNIST's is open to all. */
export const acceptOf = (name: DatasetName): string | undefined =>
  name === 'mnist' ? undefined : name === 'folder' ? '.zip' : '.tar.gz,.tgz,.gz,.tar,.zip,.bin,.parquet';

/** What getting a set takes, in a few words. */
export function effortText({ name, synthetic, downloadBytes }: DatasetConfig): string {
  if (synthetic) return 'synthetic, included';
  return name === 'folder' ? 'a folder or .zip' : `${text(bytes(downloadBytes))}, once`;
}

const ORIGINS: Record<string, string> = {
  drawn: 'drawn here',
  cache: 'from this device',
  site: 'from this site',
  huggingface: 'from Hugging Face',
  files: 'from your files',
};
/** Where a loaded set came from, in words. */
export const originText = (origin: string): string => ORIGINS[origin] ?? origin;
