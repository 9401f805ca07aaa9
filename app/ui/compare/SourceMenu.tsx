import { useMemo } from 'react';
import { PRESETS, presetExperiment } from '../../protocol/presets';
import { counterpart } from '../../protocol/compare';
import { patchExperiment, type Experiment } from '../../protocol/experiment';
import { techniqueName } from '../../protocol/settings';
import { attempt } from '../../store/actions';
import { setExperiments } from '../../store/compare/ab';
import { useAb, type SideName } from '../../store/compare/abStore';
import { useStore } from '../../store/store';
import { Menu } from '../controls/Menu';
import { experimentName } from '../datasets';
import { Icon } from '../icons';
import { shortNote } from './words';

interface Source {
  readonly label: string;
  readonly why: string;
  readonly experiment: Experiment;
}

/** Where an experiment can be taken from. */
function useSources(side: SideName): readonly (readonly Source[])[] {
  const form = useStore((s) => s.experiment);
  const running = useStore((s) => s.running);
  const shown = useStore((s) => s.shown);
  const other = useAb((s) => (side === 'a' ? s.b : s.a).experiment);
  const named = (label: string, experiment: Experiment): Source => ({
    label,
    why: `${experimentName(experiment)}, ${techniqueName(experiment)}, ${shortNote(experiment)}`,
    experiment,
  });
  const letter = side === 'a' ? 'B' : 'A';
  const presets = useMemo(
    () => PRESETS.map(({ key, label }) => ({ label, experiment: presetExperiment(key, form.dataset) })),
    [form.dataset],
  );
  return [
    [
      ...(running ? [named('The run on screen', running)] : []),
      named('The settings', form),
      ...shown.map(({ record }) => named(record.name, record.experiment)),
    ],
    [
      named(
        `Like ${letter}, with ${counterpart(other).method.name === other.method.name ? `λ ${counterpart(other).method.lambda}` : 'AdamQ3R'}`,
        counterpart(other),
      ),
      ...(other.method.name === 'adamw' ? [] : [named(`Like ${letter}, dense`, patchExperiment(other, { method: { name: 'adamw' } }))]),
      named(`The same as ${letter}`, other),
    ],
    presets.map(({ label, experiment }) => named(label, experiment)),
  ];
}

/** Chooses what a side runs. */
export function SourceMenu({ side }: { side: SideName }) {
  const source = useAb((s) => s[side].source);
  return (
    <Menu
      className="btn sm cmp-source"
      label={`What ${side.toUpperCase()} runs`}
      align="end"
      button={
        <>
          <span>{source}</span>
          <Icon name="down" />
        </>
      }
    >
      {(close) => <Sources side={side} close={close} />}
    </Menu>
  );
}

/** The content of the open menu. */
function Sources({ side, close }: { side: SideName; close: () => void }) {
  const groups = useSources(side);
  const take = (chosen: Source) => {
    const { a, b } = useAb.getState();
    attempt(
      setExperiments(
        side === 'a' ? chosen.experiment : a.experiment,
        side === 'b' ? chosen.experiment : b.experiment,
        `what ${side.toUpperCase()} is`,
        side === 'a' ? [chosen.label, b.source] : [a.source, chosen.label],
      ),
    );
  };
  return (
    <div className="menu-list">
      {groups.map((group, g) => (
        <div key={g} className="menu-list">
          {g > 0 && <hr />}
          {group.map((entry) => (
            <button
              key={entry.label}
              type="button"
              onClick={() => {
                close();
                take(entry);
              }}
            >
              <b>{entry.label}</b>
              <span>{entry.why}</span>
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}
