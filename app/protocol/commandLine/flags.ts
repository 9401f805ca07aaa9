import { quote, type CommandProblem } from './words';

type Spec =
  { readonly kind: 'flag' | 'int' | 'float' | 'text' | 'list' } | { readonly kind: 'choice'; readonly options: readonly string[] };

/** Every flag of the reference's main.py, spelled as there. */
export const FLAGS = {
  dataset: { kind: 'choice', options: ['CIFAR10', 'CIFAR100', 'MNIST', 'IMAGENET'] },
  DATA_PARALLEL: { kind: 'flag' },
  mixup_active: { kind: 'flag' },
  grad_clip: { kind: 'flag' },
  epsilon_schedule: { kind: 'choice', options: ['DEFAULT', 'linear', 'constant', 'exploration'] },
  N: { kind: 'int' },
  model: { kind: 'choice', options: ['VIT_Large', 'VIT_Base', 'VIT_Tiny', 'EnsNet', 'DNN6', 'DNN8'] },
  batch_size: { kind: 'int' },
  learning_rate: { kind: 'float' },
  epoch: { kind: 'int' },
  technique: { kind: 'choice', options: ['Hoyer', 'QuaRS', 'LoRA', 'LoRITa', 'AdamQ3R', 'LoRITaQuaRS', 'LoRITaAdamQ3R'] },
  step: { kind: 'int' },
  save_location: { kind: 'text' },
  load_adamq3r_state: { kind: 'text' },
  load_regulariser_location: { kind: 'text' },
  start_epoch: { kind: 'int' },
  load_model_location: { kind: 'text' },
  rectangular_mode: { kind: 'flag' },
  target_rank: { kind: 'float' },
  lmbda: { kind: 'float' },
  depth_lorita: { kind: 'int' },
  weight_decay_alpha: { kind: 'float' },
  dropout: { kind: 'float' },
  threads: { kind: 'int' },
  amp: { kind: 'flag' },
  augmentation: { kind: 'choice', options: ['basic', 'best'] },
  pretrained: { kind: 'flag' },
  target_modules: { kind: 'list' },
} as const satisfies Record<string, Spec>;
export type FlagName = keyof typeof FLAGS;

type ValueOf<S> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'int' | 'float' }
    ? number
    : S extends { kind: 'choice'; options: readonly (infer O)[] }
      ? O
      : S extends { kind: 'list' }
        ? readonly string[]
        : string;
/** What a command gives, by flag; a flag that is not given is absent. */
export type FlagValues = { -readonly [K in FlagName]?: ValueOf<(typeof FLAGS)[K]> };

export interface ReadFlags {
  readonly values: FlagValues;
  readonly problems: readonly CommandProblem[];
  readonly notes: readonly string[];
}

const NAMES = Object.keys(FLAGS) as FlagName[];
/** How people spell what the reference calls otherwise. */
const MEANT: Readonly<Record<string, FlagName>> = {
  lambda: 'lmbda',
  lr: 'learning_rate',
  epochs: 'epoch',
  rank: 'target_rank',
  batch: 'batch_size',
  weight_decay: 'weight_decay_alpha',
  steps: 'step',
  reg: 'technique',
  optimizer: 'technique',
};
const TRUE = ['yes', 'true', 't', '1'];
const FALSE = ['no', 'false', 'f', '0'];
const NUMBER = /^[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?$/i;
const INT = /^[+-]?\d[\d_]*$/;

/** A word that begins a flag and is no negative number. */
const isFlag = (word: string): boolean => /^[-–—]./.test(word) && !NUMBER.test(word);

/**
 * Reads words as argparse does: `--name value`, `--name=value`, unambiguous beginnings of a name, the last of several. Everything
 * it would refuse is a problem that names the flag; the flag is then absent from `values`.
 */
export function readFlags(words: readonly string[]): ReadFlags {
  const values: Record<string, unknown> = {};
  const problems: CommandProblem[] = [];
  const notes: string[] = [];
  const seen = new Set<FlagName>();
  const twice = new Set<FlagName>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (!isFlag(word)) {
      problems.push({ field: word.slice(0, 40), message: `${quote(word)} follows no flag that takes it.` });
      continue;
    }
    const equals = word.indexOf('=');
    const given = equals < 0 ? word : word.slice(0, equals);
    let next = i + 1;
    while (next < words.length && !isFlag(words[next]!)) next++;
    const after = words.slice(i + 1, next);
    const found = resolve(given);
    if (typeof found !== 'string') {
      problems.push(found);
      i = next - 1;
      continue;
    }
    const spec: Spec = FLAGS[found];
    const taken = equals >= 0 ? [word.slice(equals + 1)] : spec.kind === 'list' ? after : after.slice(0, 1);
    if (equals < 0) i += taken.length;
    if (seen.has(found)) twice.add(found);
    seen.add(found);
    const read = taken.length === 0 ? undefined : valueOf(found, spec, taken);
    if (read === undefined) problems.push({ field: `--${found}`, message: `--${found} needs a value: ${expectation(spec)}.` });
    else if ('message' in read) problems.push(read);
    else values[found] = read.value;
  }
  for (const name of twice) notes.push(`--${name} is given more than once; the last one counts, as in argparse.`);
  return { values: values, problems, notes };
}

/** The flag that a word means, with argparse's beginnings of names. */
function resolve(given: string): FlagName | CommandProblem {
  const field = given.slice(0, 40);
  if (/^[–—]/.test(given))
    return {
      field,
      message: `${quote(given)} begins with a typeset dash: write two hyphens, --${given.replace(/^[–—-]+/, '').slice(0, 40)}.`,
    };
  if (!given.startsWith('--')) return { field, message: `There is no flag ${quote(given)}: flags begin with two hyphens.` };
  const name = given.slice(2);
  if (name in FLAGS && Object.hasOwn(FLAGS, name)) return name as FlagName;
  if (name === '') return { field, message: '"--" ends the flags, and the command takes nothing else.' };
  if ('help'.startsWith(name)) return { field, message: `${given} prints a help text and trains nothing.` };
  const fitting = NAMES.filter((known) => known.startsWith(name));
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length > 1) return { field, message: `${given} is ambiguous: it could be ${fitting.map((n) => `--${n}`).join(' or ')}.` };
  const same = NAMES.find((known) => known.toLowerCase() === name.toLowerCase().replaceAll('-', '_'));
  const meant = same ?? (Object.hasOwn(MEANT, name) ? MEANT[name] : undefined);
  return { field, message: `There is no flag ${quote(given)} in the reference${meant ? `; did you mean --${meant}?` : '.'}` };
}

function expectation(spec: Spec): string {
  switch (spec.kind) {
    case 'flag':
      return 'true or false';
    case 'int':
      return 'a whole number';
    case 'float':
      return 'a number';
    case 'choice':
      return `one of ${spec.options.join(', ')}`;
    case 'list':
      return 'one or more names, such as qkv proj fc1 fc2';
    case 'text':
      return 'a path';
  }
}

function valueOf(name: FlagName, spec: Spec, taken: readonly string[]): { value: unknown } | CommandProblem {
  const text = taken[0]!;
  const wrong: CommandProblem = { field: `--${name}`, message: `--${name} must be ${expectation(spec)}, not ${quote(text)}.` };
  if (spec.kind !== 'list' && spec.kind !== 'text' && /\$[\w{(]|`/.test(text))
    return { field: `--${name}`, message: `--${name}: ${quote(text)} is filled in by a shell; write its value instead.` };
  switch (spec.kind) {
    case 'flag': {
      const lower = text.toLowerCase();
      return TRUE.includes(lower) ? { value: true } : FALSE.includes(lower) ? { value: false } : wrong;
    }
    case 'int':
    case 'float': {
      if (!(spec.kind === 'int' ? INT : NUMBER).test(text)) return wrong;
      const value = Number(text.replaceAll('_', ''));
      return Number.isFinite(value) ? { value } : wrong;
    }
    case 'choice':
      return spec.options.includes(text) ? { value: text } : wrong;
    case 'text':
      return { value: text };
    case 'list':
      return { value: taken };
  }
}
