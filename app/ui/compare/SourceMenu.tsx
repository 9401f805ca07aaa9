import { useMemo, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { PRESETS, presetExperiment } from '../../protocol/presets';
import { counterpart } from '../../protocol/compare';
import { patchExperiment, type Experiment } from '../../protocol/experiment';
import { techniqueName } from '../../protocol/settings';
import { allowed, attempt, runOnScreen } from '../../store/actions';
import { setExperiments } from '../../store/compare/ab';
import { useAb, type Origin, type SideName } from '../../store/compare/abStore';
import { useStore } from '../../store/store';
import { Menu } from '../controls/Menu';
import { experimentName } from '../datasets';
import { ago, plural } from '../format';
import { Icon } from '../icons';
import { rowsOf } from '../runs/tableRows';
import { shortNote, sourceText } from './words';
import './sources.css';

interface Source {
  readonly label: string;
  readonly why: string;
  readonly experiment: Experiment;
  /** What it goes back to, where that is not itself. */
  readonly origin?: Origin | null;
}

/** Where an experiment can be taken from. */
function useSources(side: SideName): {
  readonly own: readonly Source[];
  readonly like: readonly Source[];
  readonly presets: readonly Source[];
} {
  const form = useStore((s) => s.experiment);
  const running = useStore((s) => s.running);
  const { experiment: other, origin } = useAb(
    useShallow(({ a, b }) => {
      const { experiment, origin } = side === 'a' ? b : a;
      return { experiment, origin };
    }),
  );
  const letter = side === 'a' ? 'B' : 'A';
  const pulled = counterpart(other);
  const presets = useMemo(
    () => PRESETS.map(({ key, label }) => ({ label, experiment: presetExperiment(key, form.dataset) })),
    [form.dataset],
  );
  return {
    own: [...(running ? [named('The run on screen', running)] : []), named('The settings', form)],
    like: [
      named(`Like ${letter}, with ${pulled.method.name === other.method.name ? `λ ${pulled.method.lambda}` : 'AdamQ3R'}`, pulled),
      ...(other.method.name === 'adamw' ? [] : [named(`Like ${letter}, dense`, patchExperiment(other, { method: { name: 'adamw' } }))]),
      named(`The same as ${letter}`, other),
    ].map((source) => ({ ...source, origin })),
    presets: presets.map(({ label, experiment }) => named(label, experiment)),
  };
}

const named = (label: string, experiment: Experiment): Source => ({
  label,
  why: `${experimentName(experiment)}, ${techniqueName(experiment)}, ${shortNote(experiment)}`,
  experiment,
});

/** Chooses what a side runs. */
export function SourceMenu({ side }: { side: SideName }) {
  const source = useAb((s) => sourceText(s[side]));
  return (
    <Menu
      className="btn sm cmp-source"
      label={`What ${side.toUpperCase()} runs`}
      align="end"
      button={
        <>
          <span title={source}>{source}</span>
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
  const { own, like, presets } = useSources(side);
  const choose = (chosen: Source) => {
    close();
    const { a, b } = useAb.getState();
    const origin = chosen.origin ?? { name: chosen.label, experiment: chosen.experiment };
    attempt(
      setExperiments(
        side === 'a' ? chosen.experiment : a.experiment,
        side === 'b' ? chosen.experiment : b.experiment,
        `what ${side.toUpperCase()} is`,
        side === 'a' ? [origin, b.origin] : [a.origin, origin],
      ),
    );
  };
  return (
    <div className="menu-list">
      <Entries sources={own} onChoose={choose} />
      <hr />
      <Entries sources={like} onChoose={choose} />
      <KeptRuns onChoose={choose} />
      <hr />
      <Entries sources={presets} onChoose={choose} />
    </div>
  );
}

interface EntriesProps {
  readonly sources: readonly (Source & { readonly key?: string })[];
  readonly onChoose: (source: Source) => void;
}

/** Sources to press; one that changes what the page's link locks says so instead. */
const Entries = ({ sources, onChoose }: EntriesProps) => (
  <div className="menu-list">
    {sources.map((source) => {
      const free = allowed(source.experiment);
      return (
        <button key={source.key ?? source.label} type="button" disabled={!free} onClick={() => onChoose(source)}>
          <b>
            {!free && <Icon name="lock" />}
            {source.label}
          </b>
          <span>{free ? source.why : 'Changes what the link of this page locks.'}</span>
        </button>
      );
    })}
  </div>
);

/** More runs than this can be searched. */
const FEW = 6;

/** All kept runs, the newest first. */
function KeptRuns({ onChoose }: { onChoose: (source: Source) => void }) {
  const { runs, here } = useStore(useShallow((s) => ({ runs: s.runs, here: runOnScreen(s) })));
  const [now] = useState(() => Date.now());
  const [filter, setFilter] = useState('');
  const kept = runs.filter(({ id }) => id !== here);
  if (kept.length === 0) return null;
  const found = rowsOf(kept, { here: null, filter, column: 'date', down: true, pins: false });
  const sources = found.map((run) => ({
    ...named(run.name, run.experiment),
    key: run.id,
    why: `${run.grid ? `Grid ${run.grid.name}` : experimentName(run.experiment)}, ${plural(run.step, 'step')}, ${ago(now - run.date)}`,
  }));
  return (
    <section className="cmp-kept" aria-label="Kept runs">
      <div className="cmp-kept-head">
        <span className="lab">{plural(kept.length, 'kept run')}</span>
        {kept.length > FEW && (
          <input
            className="val"
            type="search"
            placeholder="Search"
            aria-label="Search the kept runs"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
        )}
      </div>
      <div className="cmp-kept-list">
        <Entries sources={sources} onChoose={onChoose} />
        {found.length === 0 && <p className="why">None of them holds “{filter.trim()}”.</p>}
      </div>
    </section>
  );
}
