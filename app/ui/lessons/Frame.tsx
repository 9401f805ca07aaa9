import type { ReactNode } from 'react';
import { LESSONS, type LessonName } from '../../protocol/lessons';
import { openLessons } from '../../store/actions';
import { Icon, Mark } from '../icons';
import { ProjectorButton } from '../panels/LessonsButton';
import { Notices } from '../panels/Notices';
import { ThemeButton } from '../panels/ThemeButton';
import type { Outcome } from './lesson';
import { Sketch, type SketchName } from './Sketch';
import type { Phase } from './player';

interface FrameProps {
  readonly name: LessonName;
  readonly step: number;
  readonly count: number;
  readonly phase: Phase;
  readonly onPhase: (phase: Phase) => void;
  readonly question: string;
  readonly hint: string;
  readonly watch: string;
  readonly guesses: readonly { readonly label: string; readonly sketch: SketchName }[];
  readonly guess: number | null;
  readonly onGuess: (index: number) => void;
  readonly outcome: Outcome | null;
  readonly busy: boolean;
  readonly progress: string;
  readonly go: string;
  readonly blocked: string | undefined;
  readonly onRun: () => void;
  readonly onStop: () => void;
  readonly onStep: (step: number) => void;
  readonly onStartOver: () => void;
  readonly onLeave: () => void;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

const PHASES = [
  { key: 'predict', label: 'Predict' },
  { key: 'run', label: 'Run' },
  { key: 'reveal', label: 'Reveal' },
] as const;

/** A lesson: what is asked on the left, what happens on the right. */
export function Frame(props: FrameProps) {
  const { name, step, count, phase, question, hint, watch, guesses, guess, outcome, busy } = props;
  const number = LESSONS.findIndex((l) => l.name === name);
  const last = step === count - 1;
  const next = LESSONS[number + 1];
  return (
    <div className="app-lesson">
      <header className="top">
        <span className="brand">
          <Mark />
          <span className="hide-m">Q3R Playground</span>
        </span>
        <i className="bar hide-m" />
        <h1 className="lesson-title">
          Lesson {number + 1}: {LESSONS[number]?.title}
        </h1>
        <span className="grow" />
        <ProjectorButton words />
        <button type="button" className="btn lesson-over" onClick={props.onStartOver}>
          <Icon name="reset" />
          <span>Start over</span>
        </button>
        <button type="button" className="btn icon" aria-label="Leave the lesson" title="Leave the lesson" onClick={props.onLeave}>
          <Icon name="close" />
        </button>
        <ThemeButton />
      </header>
      <aside className="lesson-side" aria-label="Lesson">
        <div className="lesson-text" tabIndex={0} role="region" aria-label="This step">
          <Notices />
          <div className="lesson-steps">
            <span className="lab">
              Step {step + 1} of {count}
            </span>
            <div aria-hidden="true">
              {Array.from({ length: count }, (_, i) => (
                <i key={i} className={i <= step ? 'on' : ''} />
              ))}
            </div>
          </div>
          <div className="lesson-phases" role="group" aria-label="Part of the step">
            {PHASES.map(({ key, label }) => (
              <button
                key={key}
                type="button"
                aria-pressed={key === phase}
                disabled={key !== phase && (busy || key === 'run' || (key === 'reveal' && !outcome))}
                onClick={() => props.onPhase(key)}
              >
                {label}
              </button>
            ))}
          </div>
          <h2 id="lesson-question">{question}</h2>
          <p aria-live="polite">
            {phase === 'reveal' && outcome ? (
              <>
                <b>{outcome.title}</b> {outcome.text}
              </>
            ) : phase === 'run' ? (
              watch
            ) : (
              hint
            )}
          </p>
          <div className="lesson-guesses" role="radiogroup" aria-labelledby="lesson-question">
            {guesses.map(({ label, sketch }, i) => (
              <label key={label} className={phase === 'reveal' && outcome?.right === i ? 'true' : undefined}>
                <input
                  type="radio"
                  name="lesson-guess"
                  checked={guess === i}
                  disabled={phase !== 'predict' || outcome !== null}
                  onChange={() => props.onGuess(i)}
                />
                <Sketch name={sketch} />
                <span>
                  {label}
                  {phase === 'reveal' && outcome && <Verdict outcome={outcome} index={i} guess={guess} />}
                </span>
              </label>
            ))}
          </div>
          {phase === 'reveal' && outcome?.right === null && (
            <p className="lesson-none">None of the three this time: the figures above are what the run did.</p>
          )}
          {props.aside}
        </div>
        <div className="lesson-foot">
          <button
            type="button"
            className="btn icon line lg-square"
            aria-label="Step back"
            disabled={busy || step === 0}
            onClick={() => props.onStep(step - 1)}
          >
            <Icon name="left" />
          </button>
          <span className="grow" />
          {phase === 'run' && busy ? (
            <button type="button" className="btn primary lg" onClick={props.onStop} title="Stop this run">
              <Icon name="pause" />
              {props.progress}
            </button>
          ) : phase === 'reveal' && !last ? (
            <button type="button" className="btn primary lg" onClick={() => props.onStep(step + 1)}>
              Next step
              <Icon name="right" />
            </button>
          ) : phase === 'reveal' ? (
            <button type="button" className="btn primary lg" onClick={() => openLessons(next?.name ?? null)}>
              {next ? `Next lesson: ${next.title}` : 'To the lessons'}
            </button>
          ) : (
            <button
              type="button"
              className="btn primary lg"
              disabled={guess === null || props.blocked !== undefined}
              title={props.blocked ?? (guess === null ? 'Choose before you run' : undefined)}
              onClick={props.onRun}
            >
              <Icon name="play" />
              {guess === null ? 'Choose an answer' : props.go}
            </button>
          )}
        </div>
      </aside>
      <main className="lesson-stage" aria-label="What the run does">
        {props.children}
      </main>
    </div>
  );
}

function Verdict({ outcome, index, guess }: { outcome: Outcome; index: number; guess: number | null }) {
  if (index === outcome.right) return <small className="right">{guess === index ? 'your guess was right' : 'this is what happened'}</small>;
  return index === guess ? <small>your guess</small> : null;
}
