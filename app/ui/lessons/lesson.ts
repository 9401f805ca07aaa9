import type { Experiment } from '../../protocol/experiment';
import type { MatrixSpectrum } from '../../protocol/messages';
import type { Cut } from '../../protocol/truncation';
import type { SketchName } from './Sketch';

/** What a step's run really did, in words and as the number of the guess that it proves right. */
export interface Outcome {
  /** Index of the guess that came true; null where none did. */
  readonly right: number | null;
  readonly title: string;
  readonly text: string;
}

/** A truncation curve with its name. */
export interface CutLine {
  readonly label: string;
  readonly full: number;
  readonly cuts: readonly Pick<Cut, 'fraction' | 'accuracy'>[];
}

/** What a step shows after its run, kept for looking back. */
export interface Picture {
  readonly before: readonly MatrixSpectrum[] | null;
  readonly after: readonly MatrixSpectrum[] | null;
  readonly cuts: readonly CutLine[];
}

/** What a step's run may do, and what earlier steps left behind. */
export interface Bench {
  /** Back to step 0 of an experiment, the shown one where none is given. */
  fresh(experiment?: Experiment): Promise<void>;
  /** Exactly `count` steps of the shown experiment. */
  train(count: number): Promise<void>;
  /** Exact singular values of all matrices inside the blocks. */
  spectra(): Promise<MatrixSpectrum[]>;
  /** On the lesson's test images, in [0, 1]. */
  accuracy(): Promise<number>;
  /** The run's model cut to these shares of its parameters. */
  cut(label: string, shares: readonly number[]): Promise<CutLine>;
  /** Puts it on the stage. */
  show(picture: Partial<Picture>): void;
  /** Figures of earlier steps by name. */
  readonly memory: Map<string, number>;
  readonly lines: Map<string, CutLine>;
}

export interface LessonStep {
  readonly question: string;
  /** One or two sentences before the guess. */
  readonly hint: string;
  /** While it runs. */
  readonly watch: string;
  readonly guesses: readonly { readonly label: string; readonly sketch: SketchName }[];
  /** What the step changes in the form before its run; shown while guessing. */
  readonly setup?: (experiment: Experiment) => Experiment;
  /** Fields on the stage; the first is what this step is about and may be changed, the others are locked. */
  readonly fields: readonly string[];
  /** False where the first field is locked, too. */
  readonly open?: boolean;
  readonly view: 'spectra' | 'cut';
  /** Text of the button. */
  readonly go: string;
  /** Optimizer steps of its run, for the bar; 0 for a measurement. */
  readonly steps: number;
  readonly run: (bench: Bench) => Promise<Outcome>;
}

/** A lesson whose steps train the engine's model. */
export interface TrainedLesson {
  readonly start: () => Experiment;
  readonly steps: readonly LessonStep[];
}
