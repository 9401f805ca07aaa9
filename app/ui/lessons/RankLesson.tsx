import { useEffect, useRef, useState } from 'react';
import type { Svd } from '../../protocol/messages';
import { attempt, engine } from '../../store/actions';
import { useStore } from '../../store/store';
import { FieldFrame } from '../controls/FieldFrame';
import { FileButton } from '../controls/FileButton';
import { Slider } from '../controls/Slider';
import { Frame } from './Frame';
import type { Outcome } from './lesson';
import { percent } from './measure';
import { distance, errorsByRank, greyFromFile, noisy, recompose, scene, worstError, type Grey } from './picture';
import { Matrix } from './Matrix';
import { keepProgress, leave, progress, type Phase } from './player';
import { judgeFirst, judgeNoise, judgeSketch, RANK_STEPS, WANTED } from './rankSteps';
import { SigmaPlot } from './SigmaPlot';

const NOISE = 0.12;

/** What is known of the picture on the stage. */
interface Look {
  readonly picture: Grey;
  readonly svd: Svd;
  /** Error of the sketch against the exact values; null for an exact decomposition. */
  readonly error: number | null;
}

/** The first lesson: a picture, its singular values, and the randomized SVD at work on it. */
export function RankLesson() {
  const [original, setOriginal] = useState(() => scene());
  const [step, setStep] = useState(() => Math.min(RANK_STEPS.length - 1, progress().rank?.step ?? 0));
  const [phase, setPhase] = useState<Phase>('predict');
  const [guesses, setGuesses] = useState<readonly (number | null)[]>(RANK_STEPS.map(() => null));
  const [outcomes, setOutcomes] = useState<readonly (Outcome | null)[]>(RANK_STEPS.map(() => null));
  const [looks, setLooks] = useState<readonly (Look | null)[]>(RANK_STEPS.map(() => null));
  const [rank, setRank] = useState(WANTED);
  const [sketch, setSketch] = useState(RANK_STEPS[step]!.sketch);
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState('');
  const exact = useRef<{ of: Grey; svd: Svd } | null>(null);
  const turn = useRef(0);
  const device = useStore((s) => s.device?.name);
  const ready = useStore((s) => s.device !== null);
  const now = RANK_STEPS[step]!;
  const look = looks[step] ?? null;
  const outcome = outcomes[step] ?? null;
  const put = <T,>(list: readonly T[], value: T): T[] => list.map((old, i) => (i === step ? value : old));

  const decompose = (a: Grey, options = {}): Promise<Svd> => engine().send('svd', { matrix: a, options });
  const exactOf = async (a: Grey): Promise<Svd> => {
    if (exact.current?.of !== a) exact.current = { of: a, svd: await decompose(a) };
    return exact.current.svd;
  };
  const look4 = async (options: typeof sketch): Promise<Look> => {
    const whole = await exactOf(original);
    if (!now.randomized) {
      const picture = now.noise ? noisy(original, NOISE) : original;
      return { picture, svd: now.noise ? await decompose(picture) : whole, error: null };
    }
    const wanted = Math.min(WANTED, whole.s.length);
    const svd = await decompose(original, { rank: wanted, refine: false, ...options });
    return { picture: original, svd, error: worstError(whole.s, svd.s, wanted) };
  };
  const judge = (found: Look, options: typeof sketch): Outcome => {
    const whole = exact.current!.svd;
    if (now.noise) return judgeNoise(whole.s, found.svd.s);
    if (!now.randomized) return judgeFirst(whole.s);
    const { rows, cols, data } = found.picture;
    const drawn = distance(data, recompose(found.svd, rows, cols, WANTED));
    const columns = Math.min(whole.s.length, WANTED + 1 + options.oversample);
    return judgeSketch(found.error!, columns, options.powerIterations, drawn, errorsByRank(whole.s)[Math.min(WANTED, whole.s.length)]!);
  };
  const work = async (options: typeof sketch, first: boolean): Promise<void> => {
    const mine = ++turn.current;
    setBusy(first);
    if (first) setPhase('run');
    const started = performance.now();
    try {
      const found = await look4(options);
      if (mine !== turn.current) return;
      setNote(`${Math.round(performance.now() - started)} ms`);
      setLooks((l) => put(l, found));
      setOutcomes((o) => put(o, judge(found, options)));
      setPhase('reveal');
      if (now.randomized) setRank(WANTED);
      keepProgress('rank', step, step === RANK_STEPS.length - 1);
    } catch (error) {
      if (mine === turn.current) setPhase('predict');
      throw error;
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  const go = (to: number): void => {
    turn.current++;
    setBusy(false);
    setStep(to);
    setSketch(RANK_STEPS[to]!.sketch);
    setPhase(outcomes[to] ? 'reveal' : 'predict');
    keepProgress('rank', to);
  };
  const startOver = (): void => {
    turn.current++;
    setGuesses(RANK_STEPS.map(() => null));
    setOutcomes(RANK_STEPS.map(() => null));
    setLooks(RANK_STEPS.map(() => null));
    setStep(0);
    setSketch(RANK_STEPS[0]!.sketch);
    setRank(WANTED);
    setPhase('predict');
    setBusy(false);
    keepProgress('rank', 0);
  };
  const own = async (files: File[]): Promise<void> => {
    const picture = await greyFromFile(files[0]!);
    setOriginal(picture);
    startOver();
  };
  // A slider that moves is followed by one sketch, when it rests.
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const turnSketch = (next: typeof sketch): void => {
    setSketch(next);
    clearTimeout(timer.current);
    if (outcome) timer.current = setTimeout(() => attempt(work(next, false)), 120);
  };

  const { rows, cols } = original;
  const short = Math.min(rows, cols);
  const shownRank = Math.min(rank, look?.svd.s.length ?? short);
  const picture = look?.picture ?? original;
  return (
    <Frame
      name="rank"
      step={step}
      count={RANK_STEPS.length}
      phase={phase}
      onPhase={setPhase}
      question={now.question(rows, cols)}
      hint={now.hint}
      watch={now.watch}
      guesses={now.guesses}
      guess={guesses[step] ?? null}
      onGuess={(i) => setGuesses((g) => put(g, i))}
      outcome={outcome}
      busy={busy}
      progress="Decomposing"
      go={now.go}
      blocked={ready ? undefined : 'The graphics device is still being measured.'}
      onRun={() => attempt(work(sketch, true))}
      onStop={() => go(step)}
      onStep={go}
      onStartOver={startOver}
      onLeave={() => leave()}
      aside={
        <p className="lesson-own">
          <FileButton className="link" accept="image/*" onFiles={(files) => attempt(own(files))}>
            Use a picture of yours
          </FileButton>{' '}
          <small>It stays on this device.</small>
        </p>
      }
    >
      <section className="lesson-drive" aria-label="Controls of this step">
        <div className={now.randomized ? 'lesson-plain' : 'lesson-lead'}>
          {!now.randomized && <span className="tag">this step</span>}
          <Knob label="Rank kept" value={shownRank} min={1} max={look?.svd.s.length ?? short} disabled={!look} onChange={setRank} />
        </div>
        <div className={now.randomized ? 'lesson-lead' : 'lesson-plain'}>
          {now.randomized && <span className="tag">this step</span>}
          <Knob
            label="Extra columns"
            // Beyond the values that are looked for: the one that shows where the tail begins, and the oversampling.
            value={1 + sketch.oversample}
            min={1}
            max={1 + Math.max(1, Math.min(40, short - WANTED - 2))}
            disabled={!now.randomized}
            onChange={(extra) => turnSketch({ ...sketch, oversample: extra - 1 })}
          />
        </div>
        <div className="lesson-plain">
          <Knob
            label="Power iterations"
            value={sketch.powerIterations}
            min={0}
            max={6}
            disabled={!now.randomized}
            onChange={(powerIterations) => turnSketch({ ...sketch, powerIterations })}
          />
        </div>
      </section>
      <section className="lesson-main pictures" aria-label="The picture and what is drawn from its singular values">
        <figure>
          <figcaption>
            <b>{now.noise && look ? 'With noise' : 'The picture'}</b> {rows} × {cols}
          </figcaption>
          <Matrix data={picture.data} rows={rows} cols={cols} label={`The picture, a matrix of ${rows} × ${cols} numbers`} />
        </figure>
        <Drawn look={look} rank={shownRank} />
      </section>
      <section className="lesson-curve sigma" aria-label="Singular values">
        <div className="lesson-h">
          <h2>Singular values</h2>
          <span className="grow" />
          <span className="lab">{look ? `${device ?? 'GPU'}${note ? `, ${note}` : ''}` : 'none yet'}</span>
        </div>
        <SigmaPlot
          sigma={look?.svd.s ?? null}
          exact={now.randomized || now.noise ? (exact.current?.svd.s ?? null) : null}
          kept={shownRank}
          length={short}
        />
      </section>
    </Frame>
  );
}

function Drawn({ look, rank }: { look: Look | null; rank: number }) {
  if (!look) return <p className="lesson-empty">What the first singular values draw appears here.</p>;
  const { rows, cols, data } = look.picture;
  const drawn = recompose(look.svd, rows, cols, rank);
  const stored = (rank * (rows + cols)) / (rows * cols);
  return (
    <figure>
      <figcaption>
        <b>Rank {rank}</b> differs by {percent(distance(data, drawn))}, {percent(stored)} of the numbers
      </figcaption>
      <Matrix data={drawn} rows={rows} cols={cols} label={`The picture from ${rank} singular values`} />
    </figure>
  );
}

interface KnobProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly disabled: boolean;
  readonly onChange: (value: number) => void;
}
const Knob = ({ label, value, min, max, disabled, onChange }: KnobProps) => (
  <FieldFrame label={label} changed={false} was="" onReset={() => undefined} control={<span className="fixed">{value}</span>}>
    <Slider
      label={label}
      value={value}
      valueText={String(value)}
      min={min}
      max={max}
      step={1}
      scale="linear"
      disabled={disabled}
      onMove={onChange}
      onDone={() => undefined}
    />
  </FieldFrame>
);
