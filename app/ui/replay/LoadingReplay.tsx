import { cancelReplay } from '../../store/actions';
import { useStore } from '../../store/store';
import { Meter } from '../controls/Meter';
import { megabytes } from '../format';

/** A recording on its way. */
export function LoadingReplay() {
  const loading = useStore((s) => s.replayLoading);
  if (!loading) return null;
  const { what, bytes, totalBytes } = loading;
  return (
    <section className="panel" aria-labelledby="loading-replay" aria-busy="true">
      <h1 id="loading-replay">Loading the recording</h1>
      <Meter label={`Loading ${what}`} share={totalBytes > 0 ? bytes / totalBytes : 0} />
      <p>
        {what}: {megabytes(bytes)} {totalBytes > 0 ? `of ${megabytes(totalBytes)} MB` : 'MB'}
      </p>
      <div className="acts">
        <button type="button" className="btn line" onClick={cancelReplay}>
          Cancel
        </button>
      </div>
    </section>
  );
}
