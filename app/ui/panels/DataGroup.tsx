import { useEffect } from 'react';
import { attempt, cancelLoad, loadDataset, loadFiles, requestSamples, setField } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { LockedField, useStanding } from '../controls/LockedField';
import { FileButton } from '../controls/FileButton';
import { Meter } from '../controls/Meter';
import { acceptOf, DATASET_CONFIGS, DATASET_LIST, effortText, originText } from '../datasets';
import { Thumbnails } from '../first/Thumbnails';
import { megabytes, whole } from '../format';
import { ClassCounts } from './ClassCounts';
import { Group } from './Group';
import { SamplePreview } from './SamplePreview';

const AUGMENTED = { none: '', basic: ', crop and flip', strong: ', strong augmentation' } as const;

const DATA = ['dataset', 'train.augment'];

/** The data set, the ways to get it, and a look at it. */
export function DataGroup() {
  const lock = useStanding('dataset');
  const name = useStore((s) => s.experiment.dataset);
  const augment = useStore((s) => s.experiment.train.augment);
  const config = DATASET_CONFIGS[name];
  const augmented = augment === 'basic' && !config.flip ? ', crop' : AUGMENTED[augment];
  return (
    <Group title="Data" summary={`${config.label}${augmented}`} paths={DATA}>
      {lock === 'locked' && <LockedField path="dataset" />}
      {lock === 'free' && (
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
                <small>{effortText(set)}</small>
              </span>
            </label>
          ))}
        </div>
      )}
      {lock !== 'hidden' && <DataState />}
      {lock !== 'hidden' && <ClassCounts />}
      <FieldControl path="train.augment" />
      {lock !== 'hidden' && <SamplePreview />}
    </Group>
  );
}

function DataState() {
  const name = useStore((s) => s.experiment.dataset);
  const info = useStore((s) => s.loaded[name]);
  const ready = useStore((s) => s.device !== null);
  const kept = useStore((s) => s.plan !== null && s.planError === null);
  const loading = useStore((s) => s.dataProgress !== null);
  const config = DATASET_CONFIGS[name];
  const own = name === 'folder';
  useEffect(() => {
    if (info) attempt(requestSamples(name, 8));
  }, [info, name]);
  if (loading) return <Loading />;
  return (
    <div className="data-state">
      <Thumbnails name={name} />
      <p className="why">
        {info
          ? `${whole(info.trainCount)} training and ${whole(info.testCount)} test images, ${originText(info.origin)}${info.origin !== 'drawn' && !info.cached ? '; the browser did not keep them' : ''}.`
          : `${config.about} ${config.synthetic ? 'Drawn when you press Play.' : own ? 'They stay on this device.' : `Fetched from this device, this site, or ${config.source} when you press Play.`}`}
      </p>
      {config.files !== '' && (
        <div className="acts">
          {!info && (!own || kept) && (
            <button type="button" className="btn line sm" disabled={!ready} onClick={() => attempt(loadDataset(name))}>
              Load now
            </button>
          )}
          {own && (
            <FileButton folder className="btn line sm" disabled={!ready} onFiles={(files) => attempt(loadFiles(files, 'folder'))}>
              Choose a folder
            </FileButton>
          )}
          <FileButton
            accept={acceptOf(name)}
            multiple
            className="btn line sm"
            disabled={!ready}
            onFiles={(files) => attempt(loadFiles(files, name))}
          >
            {own ? 'Choose a .zip' : 'Choose files'}
          </FileButton>
        </div>
      )}
      {config.files !== '' && <p className="why">Or drop them anywhere on the page: {config.files}.</p>}
    </div>
  );
}

function Loading() {
  const progress = useStore((s) => s.dataProgress);
  if (!progress) return null;
  const { name, stage, bytes, totalBytes, images, totalImages } = progress;
  const counted = name === 'folder' ? totalImages > 0 : totalBytes === 0;
  return (
    <div className="data-state">
      <p className="why strong">
        {DATASET_CONFIGS[name].label}: {stage.toLowerCase()}
      </p>
      <Meter label="Loading" share={totalBytes > 0 ? bytes / totalBytes : images / Math.max(1, totalImages)} />
      <p className="why spread">
        <span>
          {counted
            ? `${whole(images)}${totalImages > 0 ? ` of ${whole(totalImages)}` : ''} images`
            : `${megabytes(bytes)} of ${megabytes(totalBytes)} MB`}
        </span>
        <button type="button" className="link" onClick={() => attempt(cancelLoad())}>
          Cancel
        </button>
      </p>
    </div>
  );
}
