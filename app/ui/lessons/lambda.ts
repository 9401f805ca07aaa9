import type { TrainedLesson } from './lesson';
import { betweenTargets, headLevel, lessonExperiment, moved, tailLevel } from './measure';

const N = 120;
const FIELDS = ['method.lambda', 'method.targetRank', 'train.lr'];

/** Which of "few grow", "all grow alike", "all shrink" the levels say. */
export const grownGuess = (head: number, tail: number): number | null =>
  head > 1.3 && head > 1.3 * tail ? 0 : head > 1.1 && tail > 1.1 ? 1 : head < 0.9 && tail < 0.9 ? 2 : null;
/** Which of "all shrink alike", "only the tail falls", "the tail is zero at once". */
export const pressedGuess = (head: number, tail: number): number | null =>
  tail < 0.002 ? 2 : tail < 0.6 * head && tail < 0.7 ? 1 : head < 0.8 ? 0 : null;

export const lambdaLesson: TrainedLesson = {
  start: () => lessonExperiment(),
  steps: [
    {
      question: `λ is 0, so nothing regularizes. What do ${N} steps of training do to the spectra?`,
      hint: 'Each plot holds the singular values of one weight matrix, largest first. At the start they are those of random numbers.',
      watch: 'The grey line is where each spectrum began.',
      guesses: [
        { label: 'A few values grow above the rest', sketch: 'peak' },
        { label: 'All grow alike', sketch: 'up' },
        { label: 'All shrink', sketch: 'down' },
      ],
      fields: FIELDS,
      open: false,
      view: 'spectra',
      go: `Run ${N} steps`,
      steps: N,
      run: async (bench) => {
        await bench.fresh();
        const before = await bench.spectra();
        bench.show({ before });
        await bench.train(N);
        const after = await bench.spectra();
        bench.show({ after });
        const [head, tail] = [headLevel(after) / headLevel(before), tailLevel(after) / tailLevel(before)];
        return {
          right: grownGuess(head, tail),
          title: head > 1.3 * tail ? 'A few values grew.' : 'The spectra moved together.',
          text: `Up to the target rank, σ ${moved(head)}; past it, σ ${moved(tail)}. Learning adds a few strong directions. Nothing takes the weak ones away.`,
        };
      },
    },
    {
      question: `We turn λ from 0 to 5. What will the spectra look like ${N} steps later?`,
      hint: 'λ says how hard each step pushes on the values beyond the target rank. You may choose another λ; the answer follows what the run does.',
      watch: 'Watch the orange part, and the loss below.',
      guesses: [
        { label: 'Everything shrinks alike', sketch: 'down' },
        { label: 'Only the tail falls', sketch: 'tail' },
        { label: 'The tail is cut to zero at once', sketch: 'cut' },
      ],
      setup: (e) => ({ ...e, method: { ...e.method, lambda: 5 } }),
      fields: FIELDS,
      view: 'spectra',
      go: `Run ${N} steps`,
      steps: N,
      run: async (bench) => {
        const before = await bench.spectra();
        bench.show({ before });
        await bench.train(N);
        const after = await bench.spectra();
        bench.show({ after });
        const [head, tail] = [headLevel(after) / headLevel(before), tailLevel(after) / tailLevel(before)];
        bench.memory.set('pressed', tail);
        return {
          right: pressedGuess(head, tail),
          title: tail < 0.7 && tail < 0.6 * head ? 'Only the tail fell.' : 'Not what λ usually does.',
          text: `Past the target rank σ ${moved(tail)}, up to it σ ${moved(head)}. Below ε, Q3R shrinks a value in proportion to itself. Above ε, its push fades as ε²/σ, so what the network needs can still grow.`,
        };
      },
    },
    {
      question: 'We raise the target rank from 4 to 16. What happens with the values between the two?',
      hint: 'They have just been pressed down. From now on the penalty lets them be. You may choose another rank.',
      watch: 'ε follows the first value past the target: watch the dashes.',
      guesses: [
        { label: 'They grow back', sketch: 'back' },
        { label: 'They stay down', sketch: 'stay' },
        { label: 'They go on falling', sketch: 'tail' },
      ],
      setup: (e) => ({ ...e, method: { ...e.method, targetRank: 16 } }),
      fields: ['method.targetRank', 'method.lambda', 'train.lr'],
      view: 'spectra',
      go: `Run ${N} steps`,
      steps: N,
      run: async (bench) => {
        const before = await bench.spectra();
        bench.show({ before });
        await bench.train(N);
        const after = await bench.spectra();
        bench.show({ after });
        const { between, past } = betweenTargets(before, after);
        const still = Number.isNaN(between);
        return {
          right: still ? null : between > 1.4 ? 0 : between < 0.7 ? 2 : 1,
          title: still
            ? 'The target rank stayed where it was.'
            : between > 1.4
              ? 'They grew back.'
              : between < 0.7
                ? 'They went on falling.'
                : 'They stayed about where they were.',
          text: `${still ? '' : `Between the old and the new target σ ${moved(between)}; `}${still ? 'Past it' : 'past both'} σ ${moved(past)}. The target rank moves the border; how fast the network uses the room it gets is up to its gradients.`,
        };
      },
    },
    {
      question: 'A new start, λ at 5, but ε is held at 0.001, far below the spectra. What happens with the tail?',
      hint: 'ε is the border between "small, shrink it" and "large, let it be". So far it followed the spectrum.',
      watch: 'The dashes lie at the bottom, or below it.',
      guesses: [
        { label: 'It falls as it did before', sketch: 'tail' },
        { label: 'It hardly falls', sketch: 'flat' },
        { label: 'Head and tail fall together', sketch: 'down' },
      ],
      setup: (e) => ({ ...e, method: { ...e.method, targetRank: 4, epsilonSchedule: 'constant', epsilonN: 1e-3 } }),
      fields: ['method.epsilonN', 'method.lambda', 'method.targetRank'],
      view: 'spectra',
      go: `Run ${N} steps`,
      steps: N,
      run: async (bench) => {
        await bench.fresh();
        const before = await bench.spectra();
        bench.show({ before });
        await bench.train(N);
        const after = await bench.spectra();
        bench.show({ after });
        const [head, tail] = [headLevel(after) / headLevel(before), tailLevel(after) / tailLevel(before)];
        const earlier = bench.memory.get('pressed');
        return {
          right: tail >= 0.7 ? 1 : head < 0.7 ? 2 : tail < 0.5 ? 0 : null,
          title: tail >= 0.7 ? 'It hardly fell.' : 'It fell.',
          text: `Past the target rank σ ${moved(tail)}${earlier === undefined ? '' : `; with an ε that followed the spectrum it ${moved(earlier)}`}. The push on a value above ε is λε²/σ: where ε is tiny, so is the push, whatever λ says. So ε decides what counts as tail.`,
        };
      },
    },
  ],
};
