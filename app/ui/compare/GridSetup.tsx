import { useId, useState, type SyntheticEvent } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { fieldAt } from '../../protocol/experiment';
import { PRESETS, presetExperiment } from '../../protocol/presets';
import { FIELD_PATHS, labelOf, techniqueName } from '../../protocol/settings';
import { allowed, attempt } from '../../store/actions';
import { canVary, cellsOf, GridError, makeGrid, suggestGrid, type GridText } from '../../store/compare/grid/definition';
import { discardGrid, setDraft, setSource, showGrid, startGrid, undoDiscardGrid, unfinished } from '../../store/compare/grid/grid';
import { setupBase, useGrid } from '../../store/compare/grid/gridStore';
import { useStore } from '../../store/store';
import { LockedFigure, useStandings } from '../controls/LockedField';
import { experimentName } from '../datasets';
import { ago, plural, roughly } from '../format';
import { Icon } from '../icons';

const FIELDS = FIELD_PATHS.filter(canVary);

/** What a field takes, in a line. */
function hint(path: string): string {
  const field = fieldAt(path);
  if (field?.kind === 'choice') return `Some of ${field.options.map((o) => o.label).join(', ')}; separated by commas.`;
  if (field?.kind === 'flag') return 'on, off';
  return field ? field.why : 'Some of shapes, cifar10, cifar100, mnist, folder; separated by commas.';
}

/** Chooses two settings and their values, and begins. */
export function GridSetup() {
  const id = useId();
  const form = useStore((s) => s.experiment);
  const secondsPerEpoch = useStore((s) => s.plan?.secondsPerEpoch ?? null);
  const perEpoch = useStore((s) => s.plan?.stepsPerEpoch ?? null);
  const { source, linked, draft } = useGrid(useShallow((s) => ({ source: s.source, linked: s.linked, draft: s.draft })));
  const base = setupBase({ source, linked }, form);
  const stands = useStandings();
  const free = (path: string) => stands(path) === 'free';
  const text = draft ?? suggestGrid(base, free);
  const [problem, setProblem] = useState<{ part: keyof GridText; message: string } | null>(null);
  const edit = (patch: Partial<GridText>) => {
    setDraft({ ...text, ...patch });
    setProblem(null);
  };
  const trial = (() => {
    try {
      return makeGrid(base, text, '', 0);
    } catch {
      return null;
    }
  })();
  const runs = trial ? cellsOf(trial).length : null;
  const seconds =
    trial && secondsPerEpoch !== null && perEpoch && source === 'form'
      ? (runs! * trial.base.train.steps * secondsPerEpoch) / perEpoch
      : null;
  const begin = (event: SyntheticEvent) => {
    event.preventDefault();
    startGrid(base, text).catch((error: unknown) => {
      if (error instanceof GridError) setProblem({ part: error.part, message: error.message });
      else attempt(Promise.reject(error instanceof Error ? error : new Error(String(error))));
    });
  };
  const note = (part: keyof GridText) =>
    problem?.part === part && (
      <p className="why bad" id={`${id}-problem`} role="alert">
        {problem.message}
      </p>
    );
  const bad = (part: keyof GridText) => (problem?.part === part ? { 'aria-invalid': true, 'aria-describedby': `${id}-problem` } : {});
  const axis = (part: 'x' | 'y', title: string) => (
    <fieldset>
      <legend>{title}</legend>
      <select
        className="val"
        aria-label={`Setting, ${title.toLowerCase()}`}
        value={text[part].path}
        onChange={(event) => edit({ [part]: { path: event.currentTarget.value, values: '' } })}
      >
        {FIELDS.filter((path) => free(path) || path === text[part].path || stands(path) === 'locked').map((path) => (
          <option key={path} value={path} disabled={!free(path)}>
            {labelOf(path)}
            {stands(path) === 'locked' && ' (locked)'}
          </option>
        ))}
      </select>
      <input
        className="val"
        aria-label={`Values of ${labelOf(text[part].path)}`}
        autoComplete="off"
        spellCheck={false}
        placeholder="0, 0.001, 0.01"
        value={text[part].values}
        {...bad(part)}
        onChange={(event) => edit({ [part]: { path: text[part].path, values: event.currentTarget.value } })}
      />
      {note(part) || <p className="why">{hint(text[part].path)}</p>}
    </fieldset>
  );
  return (
    <div className="grid-setup">
      <form onSubmit={begin} aria-labelledby={`${id}-title`}>
        <h2 id={`${id}-title`}>A grid of runs</h2>
        <p className="cmp-text">
          Every value of one setting with every value of another, trained unattended one after the other. The map and the chart of accuracy
          against parameters fill as the runs end; they stay on this device, and after a reload Continue goes on with the next run.
        </p>
        <fieldset>
          <legend>What all runs share</legend>
          <select
            className="val"
            aria-label="Experiment"
            value={source}
            onChange={(event) => {
              setSource(event.currentTarget.value);
              setProblem(null);
            }}
          >
            <option value="form">The settings: {experimentName(form)}</option>
            {linked && <option value="link">The link: {experimentName(linked)}</option>}
            {PRESETS.map((preset) => (
              <option key={preset.key} value={preset.key} disabled={!allowed(presetExperiment(preset.key, form.dataset))}>
                {preset.label}
              </option>
            ))}
          </select>
          <p className="why">
            {experimentName(base)}, {techniqueName(base)}
          </p>
        </fieldset>
        {axis('y', 'Up')}
        {axis('x', 'Across')}
        <div className="grid-two">
          {stands('train.steps') === 'free' ? (
            <label>
              <span>Steps of each run</span>
              <input
                className="val"
                inputMode="numeric"
                value={text.steps}
                {...bad('steps')}
                onChange={(event) => edit({ steps: event.currentTarget.value })}
              />
              {note('steps')}
            </label>
          ) : (
            stands('train.steps') === 'locked' && <LockedLine name="Steps of each run" value={text.steps} />
          )}
          {stands('train.seed') === 'free' ? (
            <label>
              <span>Seeds</span>
              <input
                className="val"
                value={text.seeds}
                {...bad('seeds')}
                onChange={(event) => edit({ seeds: event.currentTarget.value })}
              />
              {note('seeds')}
            </label>
          ) : (
            stands('train.seed') === 'locked' && <LockedLine name="Seeds" value={text.seeds} />
          )}
        </div>
        <div className="acts">
          <button type="submit" className="btn primary lg">
            <Icon name="play" />
            Run the grid
          </button>
          <span className="lab">
            {runs !== null && plural(runs, 'run')}
            {seconds !== null && `, about ${roughly(seconds)}`}
          </span>
        </div>
      </form>
      <Earlier />
    </div>
  );
}

const LockedLine = ({ name, value }: { name: string; value: string }) => (
  <div className="grid-locked">
    <span aria-hidden="true">{name}</span>
    <LockedFigure label={name} text={value} />
  </div>
);

/** Grids of earlier visits. */
function Earlier() {
  const { kept, discarded } = useGrid(useShallow((s) => ({ kept: s.kept, discarded: s.discarded })));
  const [now] = useState(() => Date.now());
  if (kept.length === 0 && !discarded) return null;
  return (
    <section aria-labelledby="grid-earlier">
      <h2 id="grid-earlier">Kept on this device</h2>
      <ul className="grid-kept">
        {kept.map((grid) => {
          const { definition, results } = grid;
          const name = `${labelOf(definition.y.path)} × ${labelOf(definition.x.path)}`;
          return (
            <li key={definition.id}>
              <span>
                <b>{name}</b> {experimentName(definition.base)}
                <small>
                  {results.filter(Boolean).length} of {plural(cellsOf(definition).length, 'run')}, {ago(now - definition.date)}
                </small>
              </span>
              <button type="button" className="btn line sm" onClick={() => showGrid(grid)}>
                {unfinished(grid) ? 'Go on' : 'Open'}
              </button>
              <button type="button" className="btn icon" aria-label={`Remove ${name}`} onClick={() => discardGrid(definition.id)}>
                <Icon name="close" />
              </button>
            </li>
          );
        })}
      </ul>
      {discarded && (
        <p className="note info" role="status">
          <Icon name="info" />
          <span>The grid is removed.</span>
          <button type="button" className="btn" onClick={undoDiscardGrid}>
            Undo
          </button>
        </p>
      )}
    </section>
  );
}
