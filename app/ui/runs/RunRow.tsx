import { useRef, useState } from 'react';
import { attempt, pinRun, renameRun, runOnScreen, showRun, styleRun } from '../../store/actions';
import { STYLES } from '../../store/runs';
import { useStore, type RunSummary } from '../../store/store';
import { useStandings } from '../controls/LockedField';
import { Menu } from '../controls/Menu';
import { ago, day, moment, whole } from '../format';
import { Icon } from '../icons';
import { useMinute } from '../panels/KeptNotes';
import { RunMenu } from './RunMenu';
import { Spark, STYLE_NAMES, Swatch } from './Swatch';
import { differencesOf, percent, stateText } from './tableRows';
import { useHereExperiment, useLive } from './useRunRows';

interface RunRowProps {
  readonly run: RunSummary;
  /** The large table has more columns, and boxes to choose rows. */
  readonly large: boolean;
  readonly chosen?: boolean;
  readonly onChoose?: (chosen: boolean) => void;
}

/** One run: its name, how it differs from the run on screen, what it reached. */
export function RunRow({ run: stored, large, chosen, onChoose }: RunRowProps) {
  const here = useStore((s) => runOnScreen(s) === stored.id);
  const live = useStore((s) => here && s.replay === null);
  const run = useLive(stored, live);
  const comesBack = useStore((s) => s.recovering);
  const shown = useStore((s) => s.shown.some(({ record }) => record.id === stored.id));
  const { id, name, pinned } = run;
  const style = here ? 1 : run.style;
  return (
    <tr aria-current={here || undefined} className={here ? 'here' : run.grid && !pinned ? 'of-grid' : undefined}>
      {onChoose && (
        <td className="box">
          <input type="checkbox" aria-label={`Choose ${name}`} checked={chosen} onChange={(e) => onChoose(e.currentTarget.checked)} />
        </td>
      )}
      <th scope="row" className="name">
        <span>
          {here ? <Swatch style={1} /> : <StyleMenu run={run} />}
          <RunName run={run} />
          {run.imported && (
            <small className="run-from" title={`Made on ${run.device}, ${day(run.date)}`}>
              from a file
            </small>
          )}
        </span>
      </th>
      <td className="against">
        {here ? <span className="run-state">{stateText(run, live, comesBack)}</span> : <Chips run={run} most={large ? 3 : 2} />}
      </td>
      <td className="spark">
        <Spark losses={run.losses} style={style} />
      </td>
      {large && <td className="num">{whole(run.step)}</td>}
      {large && <td className="num">{run.losses.at(-1)?.toFixed(3) ?? '–'}</td>}
      <td className="num figure">{percent(run.accuracy)}</td>
      <td className="num figure">{percent(run.accuracyCut)}</td>
      <td className="num tail">{run.tail === null ? '–' : `${percent(run.tail)} %`}</td>
      {large && <Made run={run} />}
      <td className="run-acts">
        <span>
          <button
            type="button"
            className="btn icon"
            aria-label={`Pin ${name}`}
            aria-pressed={pinned}
            title={pinned ? 'Pinned: stays on top, and when older runs make room' : 'Pin'}
            onClick={() => attempt(pinRun(id, !pinned))}
          >
            <Icon name="pin" />
          </button>
          <button
            type="button"
            className="btn icon"
            aria-label={`Draw ${name} on the charts`}
            aria-pressed={here || shown}
            disabled={here}
            title={here ? 'The run on screen' : shown ? 'Drawn on the charts' : 'Draw on the charts'}
            onClick={() => attempt(showRun(id, !shown))}
          >
            <Icon name={here || shown ? 'eye' : 'eyeOff'} />
          </button>
          <RunMenu run={run} here={here} live={live} />
        </span>
      </td>
    </tr>
  );
}

function Made({ run }: { run: RunSummary }) {
  const now = useMinute();
  return (
    <td className="made" title={moment(run.date)}>
      {ago(now - run.date)}
      <small>{run.device}</small>
    </td>
  );
}

/** Settings in which a run differs from the one on screen: theirs struck out, its own beside it. */
function Chips({ run, most }: { run: RunSummary; most: number }) {
  const stands = useStandings();
  const all = differencesOf(useHereExperiment(), run.experiment).filter(({ path }) => stands(path) !== 'hidden');
  if (all.length === 0) return <span className="run-state">same settings</span>;
  const seen = all.length > most ? all.slice(0, most - 1) : all;
  return (
    <span className="run-chips" title={all.map(({ label, from, to }) => `${label} ${from} → ${to}`.trim()).join(', ')}>
      {seen.map(({ path, label, from, to }) => (
        <span key={path} className="run-chip">
          {label && `${label} `}
          <s>{from}</s> <span className="to">{to}</span>
        </span>
      ))}
      {all.length > seen.length && <span className="run-state">and {all.length - seen.length} more</span>}
    </span>
  );
}

/** The name; pressing it makes it a box. Enter takes what was typed, Escape leaves it. */
function RunName({ run: { id, name } }: { run: RunSummary }) {
  const [draft, setDraft] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const left = useRef(false);
  if (draft === null)
    return (
      <button ref={button} type="button" className="run-name" title={`${name}: rename`} data-rename={id} onClick={() => setDraft(name)}>
        {name}
      </button>
    );
  const end = (take: boolean, focus: boolean) => {
    if (left.current) return;
    left.current = true;
    if (take) attempt(renameRun(id, draft));
    setDraft(null);
    requestAnimationFrame(() => {
      left.current = false;
      if (focus) button.current?.focus();
    });
  };
  return (
    <input
      className="val run-rename"
      aria-label="Name of the run"
      maxLength={120}
      autoFocus
      value={draft}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={() => end(true, false)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          end(true, true);
        }
        if (event.key === 'Escape') {
          // Neither the dialog around it nor anything else is meant.
          event.preventDefault();
          event.stopPropagation();
          end(false, true);
        }
      }}
    />
  );
}

function StyleMenu({ run }: { run: RunSummary }) {
  return (
    <Menu className="run-style" label={`Colour of ${run.name}`} title="Colour, dash and marker" button={<Swatch style={run.style} />}>
      {(close) => (
        <div className="menu-list run-styles">
          {STYLES.map((style) => (
            <button
              key={style}
              type="button"
              aria-pressed={style === run.style}
              onClick={() => {
                close();
                attempt(styleRun(run.id, style));
              }}
            >
              <b>
                <Swatch style={style} />
                {STYLE_NAMES[style]}
              </b>
            </button>
          ))}
        </div>
      )}
    </Menu>
  );
}
