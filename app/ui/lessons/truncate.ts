import type { TrainedLesson } from './lesson';
import { cutAt, LEFT, LEFT_TITLE, leftAfter, lessonExperiment, percent, smallestShare } from './measure';

const N = 250;
const SHARES = [0.1, 0.2, 0.3, 0.5, 0.7, 1];
const FIELDS = ['method.name', 'method.lambda', 'train.seed'];

export const truncateLesson: TrainedLesson = {
  start: () => lessonExperiment({ method: { name: 'adamw', lambda: 5 }, train: { lr: 3e-3 } }),
  steps: [
    {
      question: `We train a dense network for ${N} steps and cut it to 10 % of its parameters. How much of its accuracy is left?`,
      hint: 'The cut keeps the largest singular values of every matrix. Nothing is trained afterwards.',
      watch: 'First the training, then the cuts.',
      guesses: LEFT,
      fields: FIELDS,
      open: false,
      view: 'cut',
      go: 'Train and cut',
      steps: N,
      run: async (bench) => {
        await bench.fresh();
        await bench.train(N);
        const line = await bench.cut('Dense AdamW', SHARES);
        bench.lines.set('dense', line);
        bench.show({ cuts: [line], after: await bench.spectra() });
        const left = cutAt(line, 0.1);
        const right = leftAfter(line.full, left);
        return { right, title: LEFT_TITLE[right], text: `${percent(line.full)} whole, ${percent(left)} with 10 % of the parameters.` };
      },
    },
    {
      question: `The same first weights and the same batches, now with AdamQ3R. How accurate is it after ${N} steps, before any cut?`,
      hint: 'Q3R presses the tail down while the network learns. Does that cost accuracy?',
      watch: 'Only the technique differs; the seed is the same.',
      guesses: [
        { label: 'Clearly less than dense', sketch: 'barHalf' },
        { label: 'Within 5 points of dense', sketch: 'barEven' },
        { label: 'Clearly more than dense', sketch: 'barFull' },
      ],
      setup: (e) => ({ ...e, method: { ...e.method, name: 'adamq3r' } }),
      fields: FIELDS,
      open: false,
      view: 'spectra',
      go: `Run ${N} steps`,
      steps: N,
      run: async (bench) => {
        await bench.fresh();
        bench.show({ before: await bench.spectra() });
        await bench.train(N);
        bench.show({ after: await bench.spectra() });
        const mine = await bench.accuracy();
        const dense = bench.lines.get('dense')?.full ?? Number.NaN;
        const gap = mine - dense;
        return {
          right: gap < -0.05 ? 0 : gap > 0.05 ? 2 : 1,
          title: gap < -0.05 ? 'Less than dense.' : gap > 0.05 ? 'More than dense.' : 'About as accurate.',
          text: `AdamQ3R ${percent(mine)}, dense ${percent(dense)}, on the same 400 test images; chance alone moves such figures by two or three points.`,
        };
      },
    },
    {
      question: 'Now we cut this one to 10 %, too. How much of its accuracy is left?',
      hint: 'Its tail is far lower than that of the dense network.',
      watch: 'The same cuts as before.',
      guesses: LEFT,
      fields: FIELDS,
      open: false,
      view: 'cut',
      go: 'Cut',
      steps: 0,
      run: async (bench) => {
        const dense = bench.lines.get('dense');
        const line = await bench.cut('AdamQ3R', SHARES);
        bench.lines.set('q3r', line);
        bench.show({ cuts: dense ? [line, dense] : [line] });
        const left = cutAt(line, 0.1);
        const right = leftAfter(line.full, left);
        return {
          right,
          title: LEFT_TITLE[right],
          text: `${percent(line.full)} whole, ${percent(left)} with 10 %. The dense network was left with ${percent(dense ? cutAt(dense, 0.1) : Number.NaN)}.`,
        };
      },
    },
    {
      question: 'How far can the AdamQ3R network be cut before it loses 5 points of accuracy?',
      hint: 'Look for the share of the parameters at which its curve begins to fall.',
      watch: 'Reading it from the measured curve.',
      guesses: [
        { label: 'To about half', sketch: 'barFull' },
        { label: 'To about a third', sketch: 'barHalf' },
        { label: 'To a fifth or less', sketch: 'barLow' },
      ],
      fields: FIELDS,
      open: false,
      view: 'cut',
      go: 'Look',
      steps: 0,
      run: async (bench) => {
        const [line, dense] = [bench.lines.get('q3r'), bench.lines.get('dense')];
        if (!line || !dense) throw new Error('The curves of the steps before are missing.');
        bench.show({ cuts: [line, dense] });
        const [mine, other] = [smallestShare(line, 0.05), smallestShare(dense, 0.05)];
        return {
          right: mine > 0.4 ? 0 : mine > 0.2 ? 1 : 2,
          title: `To ${Math.round(100 * mine)} %.`,
          text: `AdamQ3R keeps its accuracy to within 5 points down to ${Math.round(100 * mine)} % of the parameters, the dense network down to ${Math.round(100 * other)} %, of the shares that were measured (10, 20, 30, 50, 70 %).`,
        };
      },
    },
  ],
};
