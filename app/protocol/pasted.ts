import { isCommandLine, MAX_COMMAND, parseCommandLine } from './commandLine';
import type { Experiment } from './experiment';
import { anyLocks } from './locks';
import { LINK_VERSION, parseShareUrl } from './shareUrl';

/** A pasted text as the experiment it stands for. */
export interface Pasted {
  /** Null where the text stands for none, or for one with problems: nothing of it is applied then. */
  readonly experiment: Experiment | null;
  readonly problems: readonly { readonly field: string; readonly message: string }[];
  readonly notes: readonly string[];
}

const isLink = (text: string): boolean => /#v=\d|^\s*v=\d/.test(text.slice(0, MAX_COMMAND));
/** True for a text that means to be an experiment: a command of the reference, or a share link. */
export const isExperimentText = (text: string): boolean => isCommandLine(text) || isLink(text);

/** Reads a command of the reference or a share link. Never throws; an empty text has no experiment and no problem. */
export function readPasted(text: string): Pasted {
  const trimmed = text.trim();
  if (trimmed === '') return { experiment: null, problems: [], notes: [] };
  if (isCommandLine(trimmed) || !isLink(trimmed)) {
    const { experiment, problems, notes } = parseCommandLine(trimmed);
    const expected = {
      field: 'text',
      message: `Expected python main.py --dataset …, or a link of this page with #v=${LINK_VERSION}&… in it.`,
    };
    if (!isCommandLine(trimmed) && problems.length > 0) return { experiment: null, problems: [expected], notes: [] };
    return { experiment: problems.length > 0 ? null : experiment, problems, notes };
  }
  const { experiment, problems, locks } = parseShareUrl(trimmed);
  const named = problems.map(({ field, message }) => ({ field, message: message.includes(field) ? message : `${field}: ${message}` }));
  const notes = anyLocks(locks)
    ? ['The link locks or hides settings; open it in a tab of its own to have them so. Here, only its experiment is taken.']
    : [];
  return { experiment: problems.length > 0 ? null : experiment, problems: named, notes };
}
