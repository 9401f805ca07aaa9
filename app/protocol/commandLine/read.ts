import { DATASET_CONFIGS } from '../../engine/data/config';
import { methodFields } from '../../engine/regularizers/q3r/config';
import { ConfigError, defaultExperiment, parseExperiment, type Experiment, type TargetModule } from '../experiment';
import { FLAGS, readFlags, type FlagName, type FlagValues } from './flags';
import {
  CLIP_NORM,
  datasetOf,
  DEFAULT_BATCH,
  DEFAULT_LR,
  DEFAULT_N,
  DEFAULT_STEP,
  fixesLambda,
  impliedLambda,
  LORITA_DECAY,
  METHOD_OF,
  MIXUP,
  MODELS,
  partsOf,
  RECIPE,
  stepsPerEpoch,
  usesLambda,
  usesLorita,
  usesQ3r,
} from './reference';
import { commandWords, quote, type CommandProblem } from './words';

export interface ParsedCommand {
  /** Always valid: the command's experiment, or `base` while there are problems. */
  readonly experiment: Experiment;
  readonly problems: readonly CommandProblem[];
  /** What is read otherwise than the words say, or otherwise than the authors' program does it. */
  readonly notes: readonly string[];
}

/** Which flag sets a field, so that a value that does not fit is told by the name under which it was given. */
const FLAG_OF: Readonly<Record<string, FlagName>> = {
  'train.lr': 'learning_rate',
  'train.batchSize': 'batch_size',
  'train.steps': 'epoch',
  'train.weightDecay': 'weight_decay_alpha',
  'method.lambda': 'lmbda',
  'method.targetRank': 'target_rank',
  'method.loraRank': 'target_rank',
  'method.reweightEvery': 'step',
  'method.epsilonN': 'N',
  'method.loritaDepth': 'depth_lorita',
  'method.targetModules': 'target_modules',
};
const MODULES = methodFields.fields.find((field) => field.key === 'targetModules')!.options.map((option) => option.value) as TargetModule[];

/** Collects what is wrong, one message a flag. */
class Problems {
  readonly list: CommandProblem[];
  constructor(given: readonly CommandProblem[]) {
    this.list = [...given];
  }
  add(flag: FlagName, message: string): void {
    const field = `--${flag}`;
    if (!this.list.some((p) => p.field === field)) this.list.push({ field, message: `${field} ${message}` });
  }
}

/**
 * Reads a command of the reference implementation, `python main.py --dataset … --technique …`, as the experiment it stands for.
 * Settings that no flag reaches are the reference's own, or those of `base`. With a single problem nothing is applied.
 * Never throws.
 */
export function parseCommandLine(text: string, base: Experiment = defaultExperiment()): ParsedCommand {
  const { words, problems: unread, notes: around } = commandWords(text);
  const blocked = unread.some((p) => words.length === 0 || p.field === 'command');
  if (words.length === 0 && blocked) return { experiment: base, problems: unread, notes: around };
  const { values, problems: unfit, notes: twice } = readFlags(words);
  const problems = new Problems([...unread, ...unfit]);
  const notes = [...around, ...twice];
  for (const required of ['dataset', 'model', 'epoch'] as const)
    if (values[required] === undefined) problems.add(required, 'is missing; the reference requires it.');
  unavailable(values, problems);
  contradictory(values, problems, notes);
  const experiment = build(values, base, problems, notes);
  return experiment && problems.list.length === 0
    ? { experiment, problems: [], notes: [...notes, ...remarks(values, experiment)] }
    : { experiment: base, problems: problems.list, notes };
}

/** What the reference has and this page has not. */
function unavailable(f: FlagValues, problems: Problems): void {
  if (f.dataset === 'IMAGENET')
    problems.add('dataset', `IMAGENET is too large for a browser; here are ${FLAGS.dataset.options.filter(datasetOf).join(', ')}.`);
  else if (f.dataset && !datasetOf(f.dataset))
    problems.add('dataset', `${f.dataset} is not on this page, which has ${FLAGS.dataset.options.filter(datasetOf).join(', ')}.`);
  if (f.model === 'EnsNet' || f.model === 'DNN6' || f.model === 'DNN8')
    problems.add('model', `${f.model} is not on this page, which trains Vision Transformers: VIT_Tiny, VIT_Base, VIT_Large.`);
  if (f.dropout !== undefined && f.dropout !== 0)
    problems.add(
      'dropout',
      `${f.dropout} cannot be used: these models have no dropout. Use 0; --mixup_active and --augmentation regularize instead.`,
    );
  if (f.pretrained)
    problems.add(
      'pretrained',
      'true cannot be used: a line cannot bring weights to a page. Use false, and load a timm file under Weights.',
    );
  const files = ['load_model_location', 'load_regulariser_location', 'load_adamq3r_state'] as const;
  for (const name of files)
    if (f[name] !== undefined) problems.add(name, 'names a file of another machine. Leave it out, and load the file itself under Weights.');
}

/** What the reference refuses or would fail with, and flags that do nothing beside the others. */
function contradictory(f: FlagValues, problems: Problems, notes: string[]): void {
  const { technique } = f;
  const name = METHOD_OF.get(technique)!;
  if (technique !== undefined && !f.target_modules?.length)
    problems.add('target_modules', `is missing: --technique ${technique} acts on the matrices named there, such as qkv proj fc1 fc2.`);
  if ((usesQ3r(name) || name === 'lora') && f.target_rank === undefined)
    problems.add('target_rank', `is missing: --technique ${technique} needs a share below 1 or a whole rank.`);
  for (const module of f.target_modules ?? [])
    if (!(MODULES as readonly string[]).includes(module))
      problems.add(
        'target_modules',
        /^[qkv]$/i.test(module)
          ? `may not hold ${quote(module)} alone: qkv stands for Q, K and V, each with its own operator.`
          : `may hold ${MODULES.join(', ')}, with spaces between them, not ${quote(module)}.`,
      );
  if (f.epoch !== undefined && f.epoch <= (f.start_epoch ?? 0))
    problems.add(
      'epoch',
      f.start_epoch ? `${f.epoch} leaves nothing to train after --start_epoch ${f.start_epoch}.` : `must be at least 1, not ${f.epoch}.`,
    );
  if (f.start_epoch !== undefined && f.start_epoch < 0) problems.add('start_epoch', `must be at least 0, not ${f.start_epoch}.`);
  else if (f.start_epoch) notes.push(`--start_epoch ${f.start_epoch}: only the epochs from there on are trained, from fresh weights.`);

  const idle = (flag: FlagName, why: string) => notes.push(`--${flag} has no effect${why}.`);
  const without = technique ? ` with --technique ${technique}` : ' without --technique';
  if (f.save_location !== undefined)
    notes.push('--save_location is a folder of another machine: weights are saved from this page, under Weights.');
  if (f.threads !== undefined) idle('threads', ' here: images are prepared on the graphics device');
  if (f.DATA_PARALLEL) notes.push(`--DATA_PARALLEL: one device trains here; --batch_size is the whole batch.`);
  if (f.rectangular_mode !== undefined) idle('rectangular_mode', ', as in the authors’ program, which never reads it');
  if (f.depth_lorita !== undefined && !usesLorita(name)) idle('depth_lorita', without);
  if (f.weight_decay_alpha !== undefined && !usesLorita(name))
    idle('weight_decay_alpha', `${without}: the authors’ program uses Adam without decay`);
  if (f.lmbda !== undefined && impliedLambda(name) === undefined) idle('lmbda', without);
  if (!usesQ3r(name)) for (const flag of ['step', 'epsilon_schedule', 'N'] as const) if (f[flag] !== undefined) idle(flag, without);
  if (
    f.N !== undefined &&
    usesQ3r(name) &&
    (f.epsilon_schedule === undefined || f.epsilon_schedule === 'DEFAULT' || f.epsilon_schedule === 'exploration')
  )
    idle('N', ' with this --epsilon_schedule');
  if (new Set(f.target_modules).size !== (f.target_modules?.length ?? 0))
    notes.push('--target_modules names a matrix twice; it counts once.');
}

function build(f: FlagValues, base: Experiment, problems: Problems, notes: string[]): Experiment | undefined {
  const dataset = f.dataset && datasetOf(f.dataset);
  const model = f.model && f.model in MODELS ? MODELS[f.model as keyof typeof MODELS] : undefined;
  if (!dataset || !model || f.epoch === undefined) return undefined;
  const name = METHOD_OF.get(f.technique)!;
  const batchSize = f.batch_size ?? DEFAULT_BATCH;
  const perEpoch = batchSize >= 1 ? stepsPerEpoch(dataset, batchSize) : 1;
  const decays = name === 'lorita' || (usesLorita(name) && f.weight_decay_alpha !== undefined);
  const { mixup, cutmix, labelSmoothing } = f.mixup_active ? MIXUP : { mixup: 0, cutmix: 0, labelSmoothing: 0 };
  const schedule = !f.epsilon_schedule || f.epsilon_schedule === 'DEFAULT' ? 'default' : f.epsilon_schedule;
  let draft: Experiment = {
    dataset,
    model: { ...model },
    train: {
      ...base.train,
      ...RECIPE,
      batchSize,
      accumulate: batchSize >= 1 ? partsOf(batchSize) : 1,
      lr: f.learning_rate ?? DEFAULT_LR,
      steps: Math.max(1, f.epoch - (f.start_epoch ?? 0)) * perEpoch,
      optimizer: decays ? 'adamw' : 'adam',
      weightDecay: decays ? (f.weight_decay_alpha ?? LORITA_DECAY) : 0,
      labelSmoothing,
      mixup,
      cutmix,
      gradClip: f.grad_clip ? CLIP_NORM : 0,
      precision: f.amp ? 'mixed' : 'f32',
      augment: f.augmentation === 'best' ? 'strong' : (f.augmentation ?? 'none'),
      evalEvery: perEpoch,
      evalCount: DATASET_CONFIGS[dataset].testCount,
    },
    method: {
      ...base.method,
      name,
      rankRule: 'max',
      fuseQkv: false,
      loraAlpha: 1,
      lambda: usesLambda(name) ? (f.lmbda ?? impliedLambda(name) ?? base.method.lambda) : base.method.lambda,
      targetRank: (name === 'lora' ? undefined : f.target_rank) ?? base.method.targetRank,
      loraRank: (name === 'lora' ? f.target_rank : undefined) ?? base.method.loraRank,
      ...(usesQ3r(name) ? { reweightEvery: f.step ?? DEFAULT_STEP, epsilonSchedule: schedule } : {}),
      ...(usesQ3r(name) && (schedule === 'linear' || schedule === 'constant') ? { epsilonN: f.N ?? DEFAULT_N } : {}),
      loritaDepth: usesLorita(name) ? (f.depth_lorita ?? 1) : base.method.loritaDepth,
      targetModules: f.target_modules ? ([...new Set(f.target_modules)] as TargetModule[]) : [...base.method.targetModules],
    },
  };
  // Every value that does not fit is told, not only the first.
  for (let round = 0; round < 16; round++) {
    try {
      return parseExperiment(draft);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const path = error.field.split('.').slice(0, 2).join('.');
      const flag = FLAG_OF[path];
      if (flag === undefined) {
        problems.list.push({ field: 'command', message: error.message });
        return undefined;
      }
      problems.add(flag, `does not fit: ${error.message}`);
      draft = withDefault(draft, path);
    }
  }
  notes.push('More is wrong than can be told at once.');
  return undefined;
}

function withDefault(experiment: Experiment, path: string): Experiment {
  const [section, key] = path.split('.') as ['train' | 'method', string];
  const good = defaultExperiment()[section] as unknown as Record<string, unknown>;
  // The parts belong to the batch.
  const parts = path === 'train.batchSize' ? { accumulate: 1 } : {};
  return { ...experiment, [section]: { ...experiment[section], [key]: good[key], ...parts } };
}

/** Where the experiment is not to the letter what the authors' program does, and why. */
function remarks(f: FlagValues, { method, train, dataset }: Experiment): string[] {
  const out: string[] = [];
  const { name } = method;
  if (f.target_rank !== undefined && name !== 'lora' && method.targetRank < 1)
    out.push(
      `--target_rank ${f.target_rank} is a share of a matrix’s longer side, as the authors’ program counts it; their README means the shorter.`,
    );
  if (fixesLambda(name))
    out.push(
      f.lmbda === undefined
        ? `λ is 1: the authors’ program multiplies by 1 with --technique ${f.technique}.`
        : `--lmbda ${f.lmbda} counts; the authors’ program multiplies by 1 with --technique ${f.technique}, whatever --lmbda says.`,
    );
  if (usesLorita(name) && name !== 'lorita')
    out.push(
      f.weight_decay_alpha === undefined
        ? `Weight decay is 0: the authors’ program uses Adam with --technique ${f.technique}.`
        : `--weight_decay_alpha ${f.weight_decay_alpha} counts; the authors’ program reads it with --technique LoRITa only.`,
    );
  if (usesLorita(name) && method.loritaDepth === 1) out.push('--depth_lorita 1 is a single factor: the matrix itself.');
  if (name === 'adamq3r' || name === 'q3r' || name === 'hoyer')
    out.push('Exactly the matrices of --target_modules are regularized; the authors’ program adds every other linear layer.');
  if (dataset !== 'cifar10' && DATASET_CONFIGS[dataset].channels !== 3)
    out.push('The authors’ program refuses a ViT for one-channel images; here it takes them as they are.');
  if (f.augmentation === undefined) out.push('Pixels are normalised here; the authors’ program does so only with --augmentation.');
  if (train.accumulate > 1)
    out.push(`A batch of ${train.batchSize} passes in ${train.accumulate} parts whose gradients add up, so that it fits more devices.`);
  return out;
}
