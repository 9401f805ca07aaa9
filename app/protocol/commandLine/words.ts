/** Longest text read as a command. */
export const MAX_COMMAND = 8192;

/** A part of a command that was not understood or does not fit. `field` is the flag as the reference spells it. */
export interface CommandProblem {
  readonly field: string;
  readonly message: string;
}
export interface Words {
  /** Words of the one command that runs main.py, from the launcher on. */
  readonly words: readonly string[];
  readonly problems: readonly CommandProblem[];
  readonly notes: readonly string[];
}

export const SCRIPT = 'main.py';
/** Starts with what a shell shows or takes before a program: a launcher by name, its path aside. */
const LAUNCHER = /^(python[\d.]*|py|ipython3?|torchrun|accelerate|deepspeed|srun|uv|poetry|conda|nohup|time|env)(\.exe)?$/;
const BLANK = /[\s\u00a0]/;

export const quote = (word: string): string => `"${word.length > 40 ? `${word.slice(0, 40)}…` : word}"`;
const base = (word: string): string => word.slice(Math.max(word.lastIndexOf('/'), word.lastIndexOf('\\')) + 1);
/** A shell takes the backslash of `.\\main.py` away. */
export const isScript = (word: string): boolean => base(word) === SCRIPT || word === `.${SCRIPT}`;
export const isLauncher = (word: string): boolean => LAUNCHER.test(base(word));

interface Command {
  words: string[];
  /** What ended the command before it. */
  after: 'start' | 'operator' | 'line';
}

/** A fault of the text as a whole. */
const whole = (message: string): CommandProblem => ({ field: 'command', message });

/**
 * Splits a pasted text as a shell would: quotes, backslashes, continued lines, comments, redirections. Variables and
 * substitutions are not a page's to fill in and are told. A line that goes on with a flag is a continued one, as text wrapped by a
 * mail program has no backslash.
 */
export function splitCommands(text: string): { commands: Command[]; problems: CommandProblem[]; notes: string[] } {
  const problems: CommandProblem[] = [];
  const notes = new Set<string>();
  const commands: Command[] = [{ words: [], after: 'start' }];
  let word = '';
  let started = false;
  /** The next word is the file of a redirection. */
  let swallow = '';
  const push = () => {
    if (!started) return;
    if (swallow) {
      notes.add(`${quote(`${swallow} ${word}`)} is left out: the run is recorded on the page.`);
      swallow = '';
    } else commands.at(-1)!.words.push(word);
    word = '';
    started = false;
  };
  const end = (after: Command['after']) => {
    push();
    if (commands.at(-1)!.words.length > 0) commands.push({ words: [], after });
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    const next = text[i + 1];
    if (c === '\\') {
      const line = /^\\[ \t]*\r?\n/.exec(text.slice(i, i + 16));
      if (line) {
        push();
        i += line[0].length - 1;
      } else if (next !== undefined) {
        word += next;
        started = true;
        i++;
      }
    } else if (c === "'" || c === '"') {
      const from = i;
      for (i++; i < text.length && text[i] !== c; i++) {
        if (c === '"' && text[i] === '\\' && (text[i + 1] === '"' || text[i + 1] === '\\')) i++;
        word += text[i];
      }
      if (i >= text.length) problems.push(whole(`A quotation mark is not closed: ${quote(text.slice(from))}.`));
      started = true;
    } else if (c === '#' && !started) {
      while (i + 1 < text.length && text[i + 1] !== '\n') i++;
    } else if (c === '\n') {
      const rest = /^\s*(-?)/.exec(text.slice(i, i + 200));
      if (rest?.[1] && commands.at(-1)!.words.length + (started ? 1 : 0) > 0) {
        push();
        notes.add('A line that goes on with a flag is read as one line, though it does not end with a backslash.');
      } else end('line');
    } else if (BLANK.test(c)) push();
    else if (c === ';' || c === '|' || (c === '&' && text[i - 1] !== '>')) {
      end('operator');
    } else if (c === '>' || c === '<') {
      // 2>&1 names no file; 2> and > do.
      const number = /^(\d+|&)$/.test(word) ? word : '';
      if (number) {
        word = '';
        started = false;
      }
      push();
      const tail = /^[<>]+(&\d*-?)?/.exec(text.slice(i, i + 8))![0];
      i += tail.length - 1;
      if (tail.includes('&')) notes.add(`${quote(number + tail)} is left out: the run is recorded on the page.`);
      else swallow = number + tail;
    } else {
      word += c;
      started = true;
    }
  }
  push();
  return { commands: commands.filter((command) => command.words.length > 0), problems, notes: [...notes] };
}

/** The one command of a pasted text that runs main.py, its launcher and what stands around it taken off. */
export function commandWords(text: string): Words {
  if (text.length > MAX_COMMAND)
    return { words: [], problems: [whole(`The text is ${text.length} characters long; at most ${MAX_COMMAND} are read.`)], notes: [] };
  // The fence of a pasted code block.
  const { commands, problems, notes } = splitCommands(text.replace(/^[ \t]*```[^\n]*$/gm, ''));
  const expected = `expected python ${SCRIPT} --dataset … --model … --epoch ….`;
  const mine = commands.filter((command) => command.words.some(isScript));
  const chosen = mine[0] ?? commands.find((command) => command.words[0]?.startsWith('--'));
  if (!chosen) {
    const found = commands[0]?.words[0];
    return {
      words: [],
      problems: [
        ...problems,
        whole(`${found === undefined ? 'There is no command' : `${quote(found)} is not the reference’s command`}: ${expected}`),
      ],
      notes,
    };
  }
  if (mine.length > 1) problems.push(whole(`The text holds ${mine.length} commands that run ${SCRIPT}; one at a time can be read.`));
  for (const command of commands) {
    if (command === chosen || mine.includes(command)) continue;
    const [first = ''] = command.words;
    const after = commands.indexOf(command) > commands.indexOf(chosen);
    if (command.after === 'line' && after)
      problems.push(
        whole(`The line that begins with ${quote(first)} does not belong to the command: end the line before it with a backslash.`),
      );
    else notes.push(`${quote(command.words.join(' '))} is left out: only the command that runs ${SCRIPT} is read.`);
  }
  const at = chosen.words.findIndex(isScript);
  const before = chosen.words.slice(0, Math.max(0, at));
  const prompt = before.findIndex(isLauncher);
  const strange = before
    .slice(0, prompt < 0 ? before.length : prompt)
    .filter((w) => !/[$%#]$/.test(w) && !/^\(.*\)$/.test(w) && !/^\w+=/.test(w));
  // A prompt such as `(env) me@host:~$` stands before the launcher; a file that is run by itself has none.
  if (strange.length > 0) problems.push(whole(`${quote(strange[0]!)} before ${SCRIPT} is not known: ${expected}`));
  const launcher = prompt < 0 ? [] : before.slice(prompt);
  if (launcher.length > 1 || (launcher[0] !== undefined && !/^py/.test(base(launcher[0]))))
    notes.push(`${quote(launcher.join(' '))} only says where the authors’ program runs; here everything runs on one device.`);
  return { words: chosen.words.slice(at + 1), problems, notes };
}

/** True for a text that means to be such a command, right or wrong: so that nothing else is taken for one. */
export function isCommandLine(text: string): boolean {
  const head = text.slice(0, MAX_COMMAND);
  return /(^|[\s/\\.])main\.py(\s|$)/.test(head) || /^\s*([$%>]\s+)?(python[\d.]*|torchrun)\s/.test(head) || /^\s*--\w+[=\s]/.test(head);
}
