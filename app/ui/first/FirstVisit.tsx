import { attempt, blockedBecause, loadFiles, play, setField, skipFirst } from '../../store/actions';
import { useStore } from '../../store/store';
import { FileButton } from '../controls/FileButton';
import { acceptOf, DATASET_LIST, effortText } from '../datasets';
import { roughly } from '../format';
import { Icon } from '../icons';
import { modelName } from '../../protocol/presets';
import { Refused } from '../states/Refused';
import { Story } from './Story';
import { Thumbnails } from './Thumbnails';
import { WatchRecorded } from './WatchRecorded';

/** The first page: what this is, on what, and Play. */
export function FirstVisit() {
  return (
    <main className="page first">
      <h1 className="lead">Train a Vision Transformer in this tab, and watch its rank fall while it learns.</h1>
      <p className="sub">
        Most of a trained network is tail it could do without. Q3R presses that tail down during training, and every weight matrix shows it
        live.
      </p>
      <Story />
      <div className="start">
        <Sets />
        <Go />
      </div>
    </main>
  );
}

function Sets() {
  const chosen = useStore((s) => s.experiment.dataset);
  return (
    <div className="sets" role="radiogroup" aria-label="Data set">
      {DATASET_LIST.map((set) => (
        <div key={set.name} className="set-box">
          <label className="set">
            <input
              type="radio"
              name="first-dataset"
              checked={set.name === chosen}
              onChange={() => attempt(Promise.resolve().then(() => setField('dataset', set.name)))}
            />
            <span>
              <b>
                {set.label} <small>{set.synthetic ? 'included, starts now' : effortText(set)}</small>
              </b>
              {set.downloadBytes > 0 ? `${set.about} From Hugging Face, or a file of yours.` : set.about}
            </span>
          </label>
          {set.name === chosen && (
            <div className="set-more">
              <Thumbnails name={set.name} max={7} />
              <p className="ways">
                {set.name === 'folder' && (
                  <FileButton className="link" folder onFiles={(files) => attempt(loadFiles(files, 'folder'))}>
                    Choose a folder
                  </FileButton>
                )}
                {set.files && (
                  <FileButton
                    className="link"
                    accept={acceptOf(set.name)}
                    multiple
                    onFiles={(files) => attempt(loadFiles(files, set.name))}
                  >
                    {set.name === 'folder' ? 'Choose a .zip' : 'Choose files'}
                  </FileButton>
                )}
              </p>
            </div>
          )}
        </div>
      ))}
    </div>
  );
}

function Go() {
  const model = useStore((s) => modelName(s.experiment));
  const device = useStore((s) => s.device?.name);
  const software = useStore((s) => s.device?.software ?? false);
  const blocked = useStore(() => blockedBecause());
  const going = useStore((s) => s.phase === 'running');
  const seconds = useStore((s) => {
    const { plan, experiment } = s;
    return plan?.secondsPerEpoch == null ? null : (plan.secondsPerEpoch * experiment.train.steps) / plan.stepsPerEpoch;
  });
  return (
    <div className="go">
      <Refused />
      <button
        type="button"
        className="btn primary lg"
        disabled={blocked !== undefined}
        onClick={() => (going ? skipFirst() : attempt(play()))}
      >
        <Icon name="play" />
        {going ? 'Back to the run' : 'Play'}
      </button>
      <p>
        {device ? `${model} on ${device}${seconds === null ? '' : `, about ${roughly(seconds)}`}. ` : 'Measuring your graphics device. '}
        {software && <span className="hide-m">A software renderer is slow; a small model is set. </span>}
        Nothing leaves this device.
      </p>
      <WatchRecorded />
    </div>
  );
}
