import { attempt, blockedBecause } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldControl } from '../controls/FieldControl';
import { LockedField } from '../controls/LockedField';
import { hasEpsilon } from '../charts/spectrum';
import { whole } from '../format';
import { CutBars } from './CutBars';
import { Frame } from './Frame';
import { LossStrip } from './LossStrip';
import { goTo, guess, leave, look, run, startOver, stop, TRAINED, usePlayer, type TrainedName } from './player';
import { SixSpectra } from './SixSpectra';

/** A lesson that trains: the real fields on top, the spectra or the cuts, and the loss. */
export function TrainedLessonScreen({ name }: { name: TrainedName }) {
  const { lesson, step, phase, played, running, from } = usePlayer();
  const live = useStore((s) => s.spectra);
  const at = useStore((s) => s.step);
  const starting = useStore((s) => s.starting);
  const blocked = useStore(() => blockedBecause());
  const busy = running !== null;
  if (lesson !== name) return null;
  // The run on screen is the lesson's own only from the first step that it has run here.
  const own = busy ? !starting : played.some(({ outcome }) => outcome !== null);
  const { steps } = TRAINED[name];
  const now = steps[step]!;
  const mine = played[step]!;
  const catching = busy && running < step;
  const shown = busy ? (steps[running] ?? now) : now;
  const { picture } = (busy ? played[running] : mine) ?? mine;
  // Before its own run a step shows where the one before it ended.
  const earlier = played.slice(0, step).findLast((p) => p.picture.after)?.picture.after ?? null;
  const current = busy ? (picture.after ?? (own ? live : null)?.matrices.filter((m) => m.block >= 0) ?? null) : (picture.after ?? earlier);
  const progress = starting
    ? 'Getting ready'
    : shown.steps > 0 && at - from < shown.steps
      ? `${catching ? 'Step before this: ' : 'Step '}${whole(Math.max(0, at - from))} of ${shown.steps}`
      : 'Measuring';
  return (
    <Frame
      name={name}
      step={step}
      count={steps.length}
      phase={phase}
      onPhase={look}
      question={now.question}
      hint={now.hint}
      watch={catching ? 'The steps before this one are done again first: the lesson was opened anew.' : now.watch}
      guesses={now.guesses}
      guess={mine.guess}
      onGuess={guess}
      outcome={mine.outcome}
      busy={busy}
      progress={progress}
      go={now.go}
      blocked={blocked}
      onRun={() => attempt(run())}
      onStop={stop}
      onStep={goTo}
      onStartOver={startOver}
      onLeave={() => leave()}
    >
      <section className="lesson-drive" aria-label="Controls of this step">
        {now.fields.map((path, i) =>
          i === 0 && now.open !== false && phase === 'predict' && !mine.outcome ? (
            <div key={path} className="lesson-lead">
              <span className="tag">this step</span>
              <FieldControl path={path} why="" />
            </div>
          ) : (
            <LockedField key={path} path={path} why={i === 0 && now.open !== false ? 'as it ran in this step' : 'fixed in this step'} />
          ),
        )}
      </section>
      {now.view === 'spectra' ? (
        <section className="lesson-main" aria-label="Spectra">
          <div className="lesson-h">
            <h2>Block 0</h2>
            <div className="lesson-legend">
              <span className="head">kept</span>
              <span className="tail">tail</span>
              <span className="target">target</span>
              {current?.some(hasEpsilon) && <span className="eps">ε</span>}
              {picture.before && <span className="ghost">before</span>}
            </div>
          </div>
          {current ? (
            <SixSpectra matrices={current} before={picture.before} />
          ) : (
            <p className="lesson-empty">The singular values of six weight matrices appear here when the step runs.</p>
          )}
        </section>
      ) : (
        <section className="lesson-main cuts" aria-label="Accuracy after the cut">
          <div className="lesson-h">
            <h2>Accuracy after the cut</h2>
          </div>
          <CutBars lines={picture.cuts} />
        </section>
      )}
      <section className="lesson-curve" aria-label="Loss">
        <div className="lesson-h">
          <h2>Loss</h2>
          <span className="grow" />
          <span className="lab">
            {shown.steps > 0 ? `${shown.steps} steps from step ${whole(from)}` : 'nothing is trained in this step'}
          </span>
        </div>
        <LossStrip own={own} from={shown.steps > 0 ? from : 0} steps={shown.steps || (own && at) || 150} />
      </section>
    </Frame>
  );
}
