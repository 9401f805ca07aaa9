import { PRESETS } from '../../protocol/presets';
import { attempt, attemptNow, choosePreset, openCompare, resetAll, setTechnique, showScreen } from '../../store/actions';
import { useStore } from '../../store/store';
import { usePart } from '../controls/LockedField';
import { Menu } from '../controls/Menu';
import { experimentName } from '../datasets';
import { plural } from '../format';
import { Icon, Mark } from '../icons';
import { useChanges } from './ExperimentRail';
import { SeeButton } from '../see/SeeButton';
import { KeyHelp } from './KeyHelp';
import { LessonsButton, ProjectorButton } from './LessonsButton';
import { ThemeButton } from './ThemeButton';
import { WeightsMenu } from './WeightsMenu';
import { ShareButton } from './ShareButton';

/** Name of the experiment, sharing, weights, theme. */
export function TopBar() {
  const changes = useChanges();
  // A recording is no change of the visitor's.
  const replay = useStore((s) => s.replay !== null);
  return (
    <header className="top">
      <button type="button" className="brand" onClick={() => showScreen('first')} title="To the first page">
        <Mark />
        <span>Q3R Playground</span>
      </button>
      <i className="bar hide-m" />
      {usePart('presets') ? <PresetMenu /> : <ExperimentName />}
      {changes > 0 && !replay && <span className="lab only-l">{plural(changes, 'change')}</span>}
      <span className="grow" />
      <SeeButton />
      {usePart('compare') && (
        <button
          type="button"
          className="btn"
          aria-label="Compare"
          title="Two runs in lockstep, or a grid of runs"
          onClick={() => attempt(openCompare())}
        >
          <Icon name="compare" />
          <span className="hide-m">Compare</span>
        </button>
      )}
      <LessonsButton />
      {usePart('share') && <ShareButton />}
      {usePart('weights') && <WeightsMenu />}
      <i className="bar hide-m" />
      <ProjectorButton />
      <KeyHelp />
      <ThemeButton />
    </header>
  );
}

/** What the preset menu says, where there is none. */
const ExperimentName = () => <span className="preset-name">{useStore((s) => experimentName(s.experiment))}</span>;

function PresetMenu() {
  const name = useStore((s) => experimentName(s.experiment));
  const chosen = useStore((s) => s.preset);
  const dense = useStore((s) => s.experiment.method.name === 'adamw');
  const suited = useStore((s) => s.device?.preset);
  const changes = useChanges();
  return (
    <Menu
      className="btn preset"
      label="Presets"
      button={
        <>
          <span>{name}</span>
          <Icon name="down" />
        </>
      }
    >
      {(close) => (
        <div className="menu-list">
          {PRESETS.map((preset) => (
            <button
              key={preset.key}
              type="button"
              aria-pressed={preset.key === chosen}
              onClick={() => {
                close();
                attemptNow(() => choosePreset(preset.key));
              }}
            >
              <b>
                {preset.label}
                {preset.key === suited && <small>suits this device</small>}
              </b>
              <span>{preset.why}</span>
            </button>
          ))}
          <hr />
          <button
            type="button"
            aria-pressed={dense}
            onClick={() => {
              close();
              attempt(Promise.resolve().then(() => setTechnique(dense ? 'adamq3r' : 'adamw')));
            }}
          >
            <b>{dense ? 'With AdamQ3R' : 'Dense baseline'}</b>
            <span>
              {dense
                ? 'The same experiment with rank regularization.'
                : 'The same experiment without rank regularization; it stays as a grey ghost.'}
            </span>
          </button>
          {changes > 0 && (
            <button
              type="button"
              onClick={() => {
                close();
                attemptNow(resetAll);
              }}
            >
              <b>Reset {plural(changes, 'change')}</b>
            </button>
          )}
        </div>
      )}
    </Menu>
  );
}
