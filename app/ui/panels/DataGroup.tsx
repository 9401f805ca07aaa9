import { useEffect } from 'react';
import { attempt, cancelLoad, loadDataset, requestSamples, setField, takeFiles } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { FileButton } from '../controls/FileButton';
import { Meter } from '../controls/Meter';
import { DATASET_CONFIGS, DATASET_LIST, originText } from '../datasets';
import { Thumbnails } from '../first/Thumbnails';
import { bytes, megabytes, text, whole } from '../format';
import { Group } from './Group';

export const DATA_FILES = '.tar.gz,.tgz,.gz,.bin,.parquet';

/** The data set, the ways to get it, and a look at it. */
export function DataGroup() {
  const name = useStore((s) => s.experiment.dataset);
  const augment = useStore((s) => s.experiment.train.augment);
  const config = DATASET_CONFIGS[name];
  return (
    <Group title="Data" summary={`${config.label}${augment === 'basic' ? ', crop and flip' : ''}`}>
      <div className="sets-small" role="radiogroup" aria-label="Data set">
        {DATASET_LIST.map((set) => (
          <label key={set.name} className="radio">
            <input
              type="radio"
              name="dataset"
              checked={set.name === name}
              onChange={() => attempt(Promise.resolve().then(() => setField('dataset', set.name)))}
            />
            <span>
              <b>{set.label}</b>
              <small>{set.synthetic ? 'synthetic, included' : `${text(bytes(set.downloadBytes))}, once`}</small>
            </span>
          </label>
        ))}
      </div>
      <DataState />
      <FieldControl path="train.augment" />
    </Group>
  );
}

function DataState() {
  const name = useStore((s) => s.experiment.dataset);
  const info = useStore((s) => s.loaded[name]);
  const ready = useStore((s) => s.device !== null);
  const progress = useStore((s) => s.dataProgress);
  const config = DATASET_CONFIGS[name];
  useEffect(() => {
    if (info) attempt(requestSamples(name, 8));
  }, [info, name]);
  if (progress)
    return (
      <div className="data-state">
        <p className="why strong">
          {DATASET_CONFIGS[progress.name].label}: {progress.stage.toLowerCase()}
        </p>
        <Meter
          label="Loading"
          share={progress.totalBytes > 0 ? progress.bytes / progress.totalBytes : progress.images / Math.max(1, progress.totalImages)}
        />
        <p className="why spread">
          <span>
            {progress.totalBytes > 0
              ? `${megabytes(progress.bytes)} of ${megabytes(progress.totalBytes)} MB`
              : `${whole(progress.images)} images`}
          </span>
          <button type="button" className="link" onClick={() => attempt(cancelLoad())}>
            Cancel
          </button>
        </p>
      </div>
    );
  return (
    <div className="data-state">
      <Thumbnails name={name} />
      <p className="why">
        {info
          ? `${whole(info.trainCount)} training and ${whole(info.testCount)} test images, ${originText(info.origin)}${info.origin !== 'drawn' && !info.cached ? '; the browser did not keep them' : ''}.`
          : `${config.about} ${config.synthetic ? 'Drawn when you press Play.' : `Fetched from this device, this site, or ${config.source} when you press Play.`}`}
      </p>
      {!config.synthetic && (
        <div className="acts">
          {!info && (
            <button type="button" className="btn line sm" disabled={!ready} onClick={() => attempt(loadDataset(name))}>
              Load now
            </button>
          )}
          <FileButton accept={DATA_FILES} multiple className="btn line sm" disabled={!ready} onFiles={(files) => attempt(takeFiles(files))}>
            Choose files
          </FileButton>
        </div>
      )}
      {!config.synthetic && (
        <p className="why">Or drop cifar-10-binary.tar.gz, its .bin batches, or .parquet files anywhere on the page.</p>
      )}
    </div>
  );
}
