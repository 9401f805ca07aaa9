import { attempt, replayUrl } from '../../store/actions';
import { recordingName } from '../../store/recordings';
import { Icon } from '../icons';
import { useRecordings } from '../states/useRecordings';

/** "AdamQ3R" of "AdamQ3R, ViT-Nano/8 on Shapes" */
const short = (name: string): string => name.split(',')[0]!;
/** What the labels say of how the runs were made, where all were made alike. */
function madeAlike(labels: readonly string[]): string | null {
  const [first, ...others] = labels.map((label) => label.slice(label.indexOf(',') + 1).trim());
  return first !== undefined && others.every((other) => other === first) ? first : null;
}

/** The way to the recordings beside Play: runs that were made elsewhere and need no WebGPU here. Nothing where the page came without any. */
export function WatchRecorded() {
  // With the regularizer first: it is what the page is about.
  const list = [...useRecordings()].sort((a, b) => Number(/^dense/i.test(a.name)) - Number(/^dense/i.test(b.name)));
  if (list.length === 0) return null;
  const alike = madeAlike(list.map(({ label }) => label));
  return (
    <section className="watch" aria-labelledby="watch-recorded">
      <h2 id="watch-recorded">Or watch a recorded run</h2>
      <div className="acts">
        {list.map(({ file, name, label }) => (
          <button key={file} type="button" className="btn line" title={label} onClick={() => attempt(replayUrl(recordingName(file)))}>
            <Icon name="film" />
            {short(name)}
          </button>
        ))}
      </div>
      {alike !== null && <p>{alike}. Needs no WebGPU.</p>}
    </section>
  );
}
