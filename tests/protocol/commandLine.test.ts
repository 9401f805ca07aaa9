import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCommandLine, parseCommandLine, toCommandLine } from '../../app/protocol/commandLine';
import {
  ConfigError,
  DATASETS,
  defaultExperiment,
  differences,
  fieldAt,
  parseExperiment,
  type Experiment,
} from '../../app/protocol/experiment';
import { presetExperiment } from '../../app/protocol/presets';
import { experimentFrom, parseShareUrl, toHash } from '../../app/protocol/shareUrl';
import { experiments } from './experiments';

const ADAMQ3R =
  'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.0004 --epoch 100 --technique AdamQ3R --lmbda 0.1 --target_rank 0.05 --target_modules qkv';
const LORITA =
  'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.00004 --epoch 100 --technique LoRITaQuaRS --depth_lorita=1 --weight_decay_alpha=0.1 --target_modules qkv --target_rank 16  --target_modules qkv --epsilon_schedule linear --N 46875';
const DENSE = 'python main.py --dataset CIFAR10 --model VIT_Tiny --epoch 3';

/** The experiment of a line that must have no problem. */
function good(line: string): Experiment {
  const { experiment, problems } = parseCommandLine(line);
  expect(problems).toEqual([]);
  return experiment;
}
const fields = (line: string) => parseCommandLine(line).problems.map((p) => p.field);

describe('the two commands of the reference’s README', () => {
  test('AdamQ3R', () => {
    const e = good(ADAMQ3R);
    expect(e.dataset).toBe('cifar10');
    expect(e.model).toEqual({ imageSize: 224, patchSize: 16, embedDim: 192, depth: 12, numHeads: 3, mlpRatio: 4, pool: 'token' });
    expect(e.method).toMatchObject({ name: 'adamq3r', lambda: 0.1, targetRank: 0.05, rankRule: 'max', targetModules: ['qkv'] });
    expect(e.method).toMatchObject({ reweightEvery: 5, epsilonSchedule: 'default', fuseQkv: false });
    // 100 epochs of ⌈50 000 / 128⌉ steps.
    expect(e.train).toMatchObject({ steps: 39_100, batchSize: 128, accumulate: 8, lr: 4e-4, lrSchedule: 'constant', warmupSteps: 0 });
    expect(e.train).toMatchObject({ optimizer: 'adam', weightDecay: 0, seed: 0, augment: 'none', mixup: 0, cutmix: 0, gradClip: 0 });
    expect(e.train).toMatchObject({ labelSmoothing: 0, evalEvery: 391, evalCount: 10_000 });
    expect(presetExperiment('referenceAdamq3r')).toEqual(e);
    expect(presetExperiment('referenceAdamq3r', 'shapes').dataset).toBe('cifar10');
  });

  test('LoRITa + Q3R; the matrices given twice are told', () => {
    const e = good(LORITA);
    expect(e.method).toMatchObject({ name: 'loritaQ3r', loritaDepth: 1, targetRank: 16, epsilonSchedule: 'linear', epsilonN: 46_875 });
    expect(e.train).toMatchObject({ lr: 4e-5, optimizer: 'adamw', weightDecay: 0.1, steps: 39_100 });
    // Their program multiplies by 1 where the line has no --lmbda.
    expect(e.method.lambda).toBe(1);
    const notes = parseCommandLine(LORITA).notes.join('\n');
    expect(notes).toMatch(/--target_modules is given more than once; the last one counts/);
    expect(notes).toMatch(/λ is 1/);
    expect(notes).toMatch(/8 parts/);
    expect(presetExperiment('referenceLoritaQ3r')).toEqual(e);
  });
});

describe('how a line may be written', () => {
  test.each([
    ['a prompt', `$ ${ADAMQ3R}`],
    ['a prompt with host and environment', `(q3r) me@gpu7:~/Q3R$ ${ADAMQ3R}`],
    ['another python', ADAMQ3R.replace('python', '/usr/bin/python3.11 -u')],
    ['torchrun', ADAMQ3R.replace('python', 'OMP_NUM_THREADS=1 torchrun --nproc_per_node=4')],
    ['python -m', ADAMQ3R.replace('python', 'python -m torch.distributed.launch --nproc_per_node 4')],
    ['a path', ADAMQ3R.replace('main.py', './Q3R/main.py')],
    ['flags alone', ADAMQ3R.replace('python main.py ', '')],
    ['equals signs', ADAMQ3R.replace(/(--\w+) (\S+)/g, '$1=$2')],
    ['quotes', ADAMQ3R.replace('CIFAR10', '"CIFAR10"').replace('AdamQ3R', "'AdamQ3R'")],
    ['continued lines', ADAMQ3R.replace(/ --/g, ' \\\n  --')],
    ['continued lines of Windows files', ADAMQ3R.replace(/ --/g, ' \\\r\n  --')],
    ['wrapped lines', ADAMQ3R.replace(/ --/g, '\n--')],
    ['a code block', `\`\`\`bash\n${ADAMQ3R}\n\`\`\``],
    ['a comment', `# Q3R\n${ADAMQ3R} # fast`],
    ['a folder and a log', `cd Q3R && ${ADAMQ3R} > log.txt 2>&1 &`],
    ['beginnings of names', ADAMQ3R.replace('--technique', '--tech').replace('--learning_rate', '--lea').replace('--lmbda', '--lm')],
    ['a value given twice', ADAMQ3R.replace('--epoch 100', '--epoch 7 --epoch 100')],
    ['spaces that do not break', ADAMQ3R.replaceAll(' ', '\u00a0')],
    ['numbers as Python writes them', ADAMQ3R.replace('0.0004', '4e-04').replace('100', '1_00').replace('0.1', '.1')],
    [
      'what changes nothing',
      `${ADAMQ3R} --threads 8 --amp no --pretrained False --dropout 0.0 --rectangular_mode t --save_location "$OUT/a b"`,
    ],
  ])('%s', (_, line) => {
    expect(good(line)).toEqual(good(ADAMQ3R));
    expect(isCommandLine(line)).toBe(true);
  });

  test('--amp is mixed precision', () => {
    expect(good(`${ADAMQ3R} --amp true`).train.precision).toBe('mixed');
    expect(good(ADAMQ3R).train.precision).toBe('f32');
    const { line, notes } = toCommandLine(good(`${ADAMQ3R} --amp true`));
    expect(line).toContain(' --amp true');
    expect(notes.filter((note) => note.startsWith('Precision'))).toEqual([]);
  });

  test('what is left out is told', () => {
    const { notes } = parseCommandLine(`cd Q3R && torchrun --nproc_per_node=4 ${ADAMQ3R.replace('python ', '')} --threads 2 > log.txt`);
    const text = notes.join('\n');
    for (const part of [/cd Q3R/, /torchrun/, /--threads/, /> log\.txt/]) expect(text).toMatch(part);
  });
});

describe('techniques', () => {
  const rest = '--target_modules qkv fc1 --target_rank 8';
  test.each([
    ['', { name: 'adamw' }, { optimizer: 'adam', weightDecay: 0 }],
    ['--technique Hoyer', { name: 'hoyer', lambda: 1 }, { optimizer: 'adam' }],
    ['--technique QuaRS', { name: 'q3r', lambda: 1, targetRank: 8 }, { optimizer: 'adam' }],
    ['--technique QuaRS --lmbda 0.5', { name: 'q3r', lambda: 0.5 }, { optimizer: 'adam' }],
    ['--technique LoRA', { name: 'lora', loraRank: 8, loraAlpha: 1, targetRank: 0.2 }, { optimizer: 'adam' }],
    ['--technique LoRITa --depth_lorita 3', { name: 'lorita', loritaDepth: 3 }, { optimizer: 'adamw', weightDecay: 0.01 }],
    ['--technique AdamQ3R', { name: 'adamq3r', lambda: 0.01 }, { optimizer: 'adam' }],
    ['--technique LoRITaQuaRS', { name: 'loritaQ3r', lambda: 1, loritaDepth: 1 }, { optimizer: 'adam', weightDecay: 0 }],
    ['--technique LoRITaAdamQ3R --weight_decay_alpha 0', { name: 'loritaAdamq3r', lambda: 0.01 }, { optimizer: 'adamw', weightDecay: 0 }],
  ])('%s', (flags, method, train) => {
    const e = good(`${DENSE} ${flags} ${rest}`);
    expect(e.method).toMatchObject({ ...method, targetModules: ['qkv', 'fc1'] });
    expect(e.train).toMatchObject(train);
  });

  test('recipe flags', () => {
    const e = good(`${DENSE} --mixup_active yes --grad_clip 1 --augmentation best --batch_size 100 --model VIT_Large`);
    expect(e.train).toMatchObject({
      mixup: 0.8,
      cutmix: 1,
      labelSmoothing: 0.1,
      gradClip: 1,
      augment: 'strong',
      batchSize: 100,
      accumulate: 10,
    });
    expect(e.train.steps).toBe(1500);
    expect(e.model).toMatchObject({ embedDim: 1024, depth: 24, numHeads: 16 });
    expect(good(`${DENSE} --augmentation basic`).train.augment).toBe('basic');
    expect(good(`${DENSE} --start_epoch 1`).train.steps).toBe(782);
  });

  test('the other data sets count their own images, once they are here', () => {
    for (const [flag, name, count] of [
      ['CIFAR100', 'cifar100', 50_000],
      ['MNIST', 'mnist', 60_000],
    ] as const) {
      const line = DENSE.replace('CIFAR10', flag);
      if ((DATASETS as readonly string[]).includes(name)) {
        expect(good(line)).toMatchObject({ dataset: name, train: { steps: 3 * Math.ceil(count / 128) } });
      } else {
        expect(fields(line)).toEqual(['--dataset']);
        expect(parseCommandLine(line).problems[0]!.message).toContain(flag);
      }
    }
  });
});

describe('what does not fit is named, and nothing is applied', () => {
  test.each([
    ['--technique QuaRS --target_modules qkv', '--target_rank', /--technique QuaRS needs/],
    ['--technique QuaRS --target_rank 4', '--target_modules', /missing/],
    ['--technique AdamQ3R --target_rank 4', '--target_modules', /missing/],
    ['--technique LoRA --target_modules qkv', '--target_rank', /missing/],
    ['--technique Q3R', '--technique', /must be one of Hoyer, QuaRS/],
    ['--target_modules attn', '--target_modules', /may hold qkv, proj/],
    ['--target_modules qkv,fc1', '--target_modules', /with spaces/],
    ['--target_modules Q K V', '--target_modules', /qkv stands for/],
    ['--target_modules', '--target_modules', /needs a value/],
    ['--dataset IMAGENET', '--dataset', /too large/],
    ['--dataset cifar10', '--dataset', /must be one of CIFAR10/],
    ['--model DNN6', '--model', /Vision Transformers/],
    ['--model EnsNet', '--model', /Vision Transformers/],
    ['--dropout 0.1', '--dropout', /no dropout/],
    ['--amp maybe', '--amp', /true or false/],
    ['--pretrained 1', '--pretrained', /under Weights/],
    ['--load_model_location a.pt', '--load_model_location', /another machine/],
    ['--load_adamq3r_state a.pt', '--load_adamq3r_state', /another machine/],
    ['--load_regulariser_location a.pt', '--load_regulariser_location', /another machine/],
    ['--epoch 0', '--epoch', /at least 1/],
    ['--epoch 2.5', '--epoch', /whole number/],
    ['--epoch 1_000_000', '--epoch', /10000000/],
    ['--start_epoch 5', '--epoch', /leaves nothing/],
    ['--start_epoch -1', '--start_epoch', /at least 0/],
    ['--learning_rate fast', '--learning_rate', /a number/],
    ['--learning_rate 7', '--learning_rate', /from 0 to 1/],
    ['--learning_rate inf', '--learning_rate', /a number/],
    ['--learning_rate -0.1', '--learning_rate', /from 0 to 1/],
    ['--learning_rate $LR', '--learning_rate', /filled in by a shell/],
    ['--batch_size 0', '--batch_size', /from 1/],
    ['--batch_size -4', '--batch_size', /from 1/],
    ['--batch_size 4096', '--batch_size', /2048/],
    ['--technique QuaRS --target_modules qkv --target_rank 2.5', '--target_rank', /whole number/],
    ['--technique QuaRS --target_modules qkv --target_rank 4 --lmbda -1', '--lmbda', /from 0/],
    ['--technique QuaRS --target_modules qkv --target_rank 4 --step 0', '--step', /from 1/],
    ['--technique LoRITa --target_modules qkv --depth_lorita 99', '--depth_lorita', /from 1 to 8/],
    ['--lambda 3', '--lambda', /did you mean --lmbda/],
    ['--learning-rate 3', '--learning-rate', /did you mean --learning_rate/],
    ['--colour red', '--colour', /no flag/],
    ['--lo x', '--lo', /ambiguous.*--load_adamq3r_state or/],
    ['--target 3', '--target', /ambiguous/],
    ['-h', '-h', /two hyphens/],
    ['--help', '--help', /help text/],
    ['–-epoch 3', '–-epoch', /typeset dash/],
    ['stray', 'stray', /follows no flag/],
    ['--step=4 5', '5', /follows no flag/],
    ['--', '--', /ends the flags/],
    ['--save_location "a', 'command', /not closed/],
    [`&& ${DENSE}`, 'command', /2 commands/],
    ['\nqkv', 'command', /end the line before it with a backslash/],
    [`--save_location ${'x'.repeat(9000)}`, 'command', /characters long/],
  ])('%s', (flags, field, message) => {
    const base = { ...defaultExperiment(), dataset: 'cifar10' as const };
    const { experiment, problems } = parseCommandLine(`${DENSE} ${flags}`, base);
    expect(problems.map((p) => p.field)).toEqual([field]);
    expect(problems[0]!.message).toMatch(message);
    expect(experiment).toEqual(base);
  });

  test.each([
    ['python train.py --epoch 3', 'command'],
    ['', 'command'],
    ['rm -rf main.py', 'command'],
    ['ls | grep foo', 'command'],
  ])('%s is no command of the reference', (line, field) => {
    expect(fields(line)).toContain(field);
  });

  test('all problems are told at once', () => {
    expect(
      fields('python main.py --amp maybe --lr 3 --learning_rate 7 --dataset CIFAR10 --model VIT_Tiny --epoch 4 --batch_size 0'),
    ).toEqual(['--amp', '--lr', '--learning_rate', '--batch_size']);
    expect(fields('python main.py')).toEqual(['--dataset', '--model', '--epoch']);
  });

  test('a script gets a ConfigError that names the flag', () => {
    const base = defaultExperiment();
    expect(experimentFrom(ADAMQ3R, base)).toEqual(good(ADAMQ3R));
    expect(() => experimentFrom(`${ADAMQ3R} --amp maybe`, base)).toThrow(expect.objectContaining({ name: 'ConfigError', field: '--amp' }));
    expect(() => experimentFrom('python main.py', base)).toThrow(/--dataset is missing/);
    expect(() => experimentFrom('python setup.py install', base)).toThrow(/main\.py/);
  });
});

/** Lines that the reference runs and this page can express, from their flags. */
const lines = fc
  .record({
    dataset: fc.constantFrom(...['CIFAR10', 'CIFAR100', 'MNIST'].filter((d) => (DATASETS as readonly string[]).includes(d.toLowerCase()))),
    model: fc.constantFrom('VIT_Tiny', 'VIT_Base', 'VIT_Large'),
    epoch: fc.integer({ min: 1, max: 150 }),
    technique: fc.constantFrom('', 'Hoyer', 'QuaRS', 'LoRA', 'LoRITa', 'AdamQ3R', 'LoRITaQuaRS', 'LoRITaAdamQ3R'),
    batch_size: fc.option(fc.integer({ min: 1, max: 2048 })),
    learning_rate: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    lmbda: fc.option(fc.double({ min: 0, max: 1000, noNaN: true })),
    target_rank: fc.oneof(fc.integer({ min: 2, max: 4096 }), fc.double({ min: 0.001, max: 0.999, noNaN: true })),
    target_modules: fc.subarray(['qkv', 'proj', 'fc1', 'fc2', 'head'], { minLength: 1 }),
    step: fc.option(fc.integer({ min: 1, max: 1000 })),
    epsilon_schedule: fc.option(fc.constantFrom('DEFAULT', 'linear', 'constant', 'exploration')),
    N: fc.option(fc.integer({ min: 1, max: 1e8 })),
    depth_lorita: fc.option(fc.integer({ min: 1, max: 8 })),
    weight_decay_alpha: fc.option(fc.double({ min: 0, max: 10, noNaN: true })),
    mixup_active: fc.option(fc.boolean()),
    grad_clip: fc.option(fc.boolean()),
    augmentation: fc.option(fc.constantFrom('basic', 'best')),
  })
  .map((flags) =>
    Object.entries(flags).reduce(
      (line, [key, value]) =>
        value === null || value === '' ? line : `${line} --${key} ${Array.isArray(value) ? value.join(' ') : String(value)}`,
      'python main.py',
    ),
  );

test('an experiment that a line can say is said exactly: parse(to(e)) = e', () => {
  fc.assert(
    fc.property(lines, (line) => {
      const e = good(line);
      const written = toCommandLine(e);
      expect(written.notes).toEqual([]);
      expect(good(written.line)).toEqual(e);
    }),
    { numRuns: 500 },
  );
});

test('any experiment has a line, and every setting that gets lost in it is named', () => {
  fc.assert(
    fc.property(experiments, (e) => {
      const { line, notes } = toCommandLine(e);
      const back = good(line);
      const lost = differences(e, back);
      // What is no part of a note may only be a setting of a technique that is not in use.
      const always = lost.filter((path) => !path.startsWith('method.') && path !== 'train.optimizer');
      for (const path of always) {
        const label = path === 'dataset' ? 'Data set' : (fieldAt(path)?.label ?? 'Image size');
        expect(notes.some((note) => note.startsWith(`${label} is `))).toBe(true);
      }
      if (lost.includes('method.name')) expect(notes.join()).toContain('Technique is ');
      expect(notes.length).toBeLessThanOrEqual(lost.length);
    }),
    { numRuns: 300 },
  );
});

test('the notes of a small model say what the line stands for', () => {
  const { line, notes } = toCommandLine(presetExperiment('nano'));
  expect(line).toBe(
    'python main.py --dataset CIFAR10 --model VIT_Tiny --learning_rate 0.003 --epoch 1 --batch_size 32 --technique AdamQ3R --lmbda 5 --target_rank 0.07 --epsilon_schedule exploration --grad_clip true --target_modules qkv proj fc1 fc2',
  );
  expect(notes).toContain('Patch size is 8 px; the line stands for 16 px.');
  expect(notes).toContain('Data set is Shapes; the line stands for CIFAR-10.');
  expect(notes).toContain('Schedule is cosine; the line stands for constant.');
  expect(toCommandLine(presetExperiment('referenceAdamq3r'))).toEqual({ line: ADAMQ3R, notes: [] });
});

/** Cuts, repeats, swaps and replaces pieces of a text. */
const mutated = (seeds: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          length: fc.nat({ max: 12 }),
          text: fc.oneof(
            fc.string({ maxLength: 6 }),
            fc.string({ unit: 'grapheme', maxLength: 4 }),
            fc.constantFrom(
              '--',
              '=',
              ' ',
              '\\',
              '\n',
              '"',
              "'",
              '$',
              '&&',
              '>',
              '#',
              '-1',
              '1e999',
              '%',
              '&',
              'NaN',
              '0',
              '__proto__',
              'constructor',
              '--N',
              '\0',
            ),
          ),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    )
    .map(([text, edits]) =>
      edits.reduce((t, { at, length, text: put }) => {
        const i = Math.floor(at * t.length);
        return t.slice(0, i) + put + t.slice(i + length);
      }, text),
    );

test('thousands of damaged lines: a valid experiment or named problems, nothing else', () => {
  const base = defaultExperiment();
  fc.assert(
    fc.property(mutated([ADAMQ3R, LORITA, ADAMQ3R.replace(/ --/g, ' \\\n --'), `cd a; ${DENSE} 2> b`]), (text) => {
      const { experiment, problems } = parseCommandLine(text, base);
      expect(parseExperiment(experiment)).toEqual(experiment);
      if (problems.length > 0) expect(experiment).toEqual(base);
      for (const { field, message } of problems) expect(field.length * message.length).toBeGreaterThan(0);
      try {
        experimentFrom(text, base);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
    { numRuns: 1500 },
  );
});

test('thousands of damaged links: a valid experiment, and every part that was not applied is named', () => {
  const seeds = [toHash(good(ADAMQ3R)), toHash(good(LORITA)), '#v=1&method=q3r&lambda=0.5&embedDim=48&numHeads=3&targetModules=qkv,fc2'];
  fc.assert(
    fc.property(mutated(seeds), (text) => {
      const { experiment, problems } = parseShareUrl(text.trim());
      expect(parseExperiment(experiment)).toEqual(experiment);
      try {
        const strict = experimentFrom(text, defaultExperiment());
        expect(problems.length === 0 || isCommandLine(text)).toBe(true);
        expect(parseExperiment(strict)).toEqual(strict);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('long and repetitive text is read in no time', () => {
  const from = performance.now();
  for (const part of ['\\\n', '--a ', '"', "'a", '>', '2>&', '#\n', '$ ', '```\n', 'main.py ', '(', 'python ', '\n-', ' \u00a0'])
    parseCommandLine(part.repeat(Math.floor(8192 / part.length)));
  // Seconds would be a hang; the bound is far above what a crowded machine needs.
  expect(performance.now() - from).toBeLessThan(5000);
});
