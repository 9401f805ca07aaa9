import type { TrainedLesson } from './lesson';
import { grownGuess } from './lambda';
import { cutAt, headLevel, LEFT, LEFT_TITLE, leftAfter, lessonExperiment, moved, percent, shareFor, tailLevel } from './measure';

const N = 250;
const FIELDS = ['method.name', 'train.lr', 'train.batchSize'];

export const wasteLesson: TrainedLesson = {
  start: () => lessonExperiment({ method: { name: 'adamw' } }),
  steps: [
    {
      question: `We train a dense network for ${N} steps, with no rank regularizer at all. What becomes of its spectra?`,
      hint: 'Six weight matrices, each with its singular values. Orange is what lies past the target rank: 4, and 8 in fc1 and fc2, which are twice as long.',
      watch: 'The loss falls. Which values move?',
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
          title: head > 1.3 * tail ? 'A few grew, the tail remained.' : 'The spectra moved together.',
          text: `The first values: σ ${moved(head)}; the tail: σ ${moved(tail)}. The tail is mostly the random numbers that training began with.`,
        };
      },
    },
    {
      question: 'How many of its singular values hold 90 % of a matrix’s energy, Σσ²?',
      hint: 'Squares make large values count for more. Look at the spectra and guess.',
      watch: 'Counting in every matrix.',
      guesses: [
        { label: 'Under a quarter of them', sketch: 'peak' },
        { label: 'A quarter to a half', sketch: 'flat' },
        { label: 'More than half', sketch: 'up' },
      ],
      fields: FIELDS,
      open: false,
      view: 'spectra',
      go: 'Count',
      steps: 0,
      run: async (bench) => {
        const after = await bench.spectra();
        bench.show({ after });
        const share = shareFor(after, 0.9);
        return {
          right: share < 0.25 ? 0 : share <= 0.5 ? 1 : 2,
          title: `${percent(share)} of them, on average.`,
          text: `The rest, ${percent(1 - share)} of all singular values, holds a tenth of the energy, and costs as much memory and time as any other.`,
        };
      },
    },
    {
      question: 'We cut every matrix to half of its parameters. How much of the accuracy is left?',
      hint: 'Cutting keeps the largest singular values and stores two thin factors instead of the matrix.',
      watch: 'The cut model is tried on test images.',
      guesses: LEFT,
      fields: FIELDS,
      open: false,
      view: 'cut',
      go: 'Cut to a half',
      steps: 0,
      run: async (bench) => {
        const line = await bench.cut('Dense', [0.2, 0.5, 1]);
        bench.lines.set('dense', line);
        bench.show({ cuts: [{ ...line, cuts: line.cuts.filter((c) => c.fraction > 0.2) }] });
        const left = cutAt(line, 0.5);
        const right = leftAfter(line.full, left);
        return {
          right,
          title: LEFT_TITLE[right],
          text: `${percent(line.full)} before the cut, ${percent(left)} with half of the parameters, on 400 test images.`,
        };
      },
    },
    {
      question: 'And with a fifth of the parameters?',
      hint: 'That leaves about as many singular values as the teal part shows.',
      watch: 'The cut model is tried on test images.',
      guesses: LEFT,
      fields: FIELDS,
      open: false,
      view: 'cut',
      go: 'Cut to a fifth',
      steps: 0,
      run: async (bench) => {
        const line = bench.lines.get('dense') ?? (await bench.cut('Dense', [0.2, 0.5, 1]));
        bench.show({ cuts: [line] });
        const left = cutAt(line, 0.2);
        const right = leftAfter(line.full, left);
        return {
          right,
          title: LEFT_TITLE[right],
          text:
            right === 0
              ? `${percent(line.full)} before, ${percent(left)} after: this young network could do without its tail. Longer training uses it more; the last lesson compares.`
              : `${percent(line.full)} before, ${percent(left)} after. The tail holds little energy, but the network leans on it all the same, because nothing told it not to. That is what a regularizer is for.`,
        };
      },
    },
  ],
};
