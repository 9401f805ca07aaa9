import { attempt, cancelLoad, cancelStart, takeFiles } from '../../store/actions';
import { useStore } from '../../store/store';
import { FileButton } from '../controls/FileButton';
import { Meter } from '../controls/Meter';
import { acceptOf, DATASET_CONFIGS } from '../datasets';
import { duration, megabytes, whole } from '../format';

/** A data set on its way: bytes, rate, images, and the way out. */
export function Downloading() {
  const progress = useStore((s) => s.dataProgress);
  if (!progress) return null;
  const { name, stage, bytes, totalBytes, bytesPerSecond, images, totalImages } = progress;
  const config = DATASET_CONFIGS[name];
  const share = totalBytes > 0 ? bytes / totalBytes : totalImages > 0 ? images / totalImages : 0;
  const left = bytesPerSecond > 0 && totalBytes > 0 ? (totalBytes - bytes) / bytesPerSecond : null;
  const published = config.downloadBytes > 0;
  const total = totalImages || config.trainCount + config.testCount;
  const train = Math.min(images, config.trainCount);
  const test = Math.max(0, images - config.trainCount);
  return (
    <section className="panel" aria-labelledby="loading" aria-busy="true">
      <h1 id="loading">{published ? `Loading ${config.label}` : 'Reading your images'}</h1>
      {published && (
        <div className="big3">
          <div className="fig">
            <span className="lab">Received</span>
            <span className="v">
              {megabytes(bytes)} <small>{totalBytes > 0 ? `/ ${megabytes(totalBytes)} MB` : 'MB'}</small>
            </span>
          </div>
          <div className="fig">
            <span className="lab">Rate</span>
            <span className="v">
              {megabytes(bytesPerSecond)} <small>MB/s</small>
            </span>
          </div>
          <div className="fig">
            <span className="lab">Left</span>
            <span className="v">{duration(left)}</span>
          </div>
        </div>
      )}
      <Meter label={stage} share={share} />
      <div className="list">
        {!published && (
          <div className="now">
            <i className="dot" />
            <span>Images</span>
            <span className="num">{totalImages > 0 ? `${whole(images)} of ${whole(totalImages)}` : whole(images)}</span>
          </div>
        )}
        {published && (
          <>
            <div className={train < config.trainCount ? 'now' : 'done'}>
              <i className="dot" />
              <span>Training images</span>
              <span className="num">
                {whole(train)} of {whole(Math.min(total, config.trainCount))}
              </span>
            </div>
            <div className={train < config.trainCount ? '' : 'now'}>
              <i className="dot" />
              <span>Test images</span>
              <span className="num">
                {whole(test)} of {whole(config.testCount)}
              </span>
            </div>
          </>
        )}
        <div>
          <i className="dot" />
          <span>Now</span>
          <span className="num">{stage}</span>
        </div>
      </div>
      {published && (
        <p>
          Looked for on this device, on this site, then at {config.source}; kept on this device for next time where the browser allows it.
        </p>
      )}
      <div className="acts">
        <button
          type="button"
          className="btn line"
          onClick={() => {
            attempt(cancelStart());
            attempt(cancelLoad());
          }}
        >
          Cancel
        </button>
        {published && (
          <FileButton
            className="btn"
            accept={acceptOf(name)}
            multiple
            onFiles={(files) => attempt(cancelLoad().then(() => takeFiles(files)))}
          >
            Use a file instead
          </FileButton>
        )}
      </div>
    </section>
  );
}
