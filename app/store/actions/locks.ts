import type { Experiment } from '../../protocol/experiment';
import { anyLocks, lockedChanges, LockError, requireUnlocked, standing, writeLocks, type Locks } from '../../protocol/locks';
import type { CommandType } from '../../protocol/messages';
import { getState, setState } from '../store';

/** Throws where an experiment changes a setting that the link of this page locks. Every way into the form passes here. @throws LockError */
export function guard(next: Experiment): void {
  const { locks, lockBase } = getState();
  if (lockBase) requireUnlocked(locks, lockBase, next);
}

/** Whether the link of this page leaves an experiment as it is. */
export function allowed(next: Experiment): boolean {
  const { locks, lockBase } = getState();
  return lockBase === null || lockedChanges(locks, lockBase, next).length === 0;
}

/** True where the link of this page locks or hides the setting. */
export const isLocked = (path: string): boolean => standing(getState().locks, path) !== 'free';

/** Locks the page for as long as it is open. `base` is the experiment of the link. A lesson, which sets what it needs, is left. */
export function lockPage(locks: Locks, base: Experiment): void {
  if (anyLocks(locks)) setState(({ screen }) => ({ locks, lockBase: base, ...(screen === 'lesson' && { screen: 'main' as const }) }));
}

/** The locks of a further link cannot take the place of those that the page has. @throws LockError */
export function requireSameLocks(locks: Locks): void {
  const { locks: own, lockBase } = getState();
  if (lockBase && anyLocks(locks) && writeLocks(locks).join() !== writeLocks(own).join())
    throw new LockError('experiment', 'This page is locked by the link that it was opened with; open another link in a new tab.');
}

/** Commands that only ask: they change neither form nor run. */
const ASKS: readonly CommandType[] = ['plan', 'warm', 'preview'];

/**
 * The same for what goes to the worker, so that no way past the form, those of later parts of the page included, trains anything else.
 * @throws LockError
 */
export function guardCommand(type: CommandType, args: object): void {
  const { locks, lockBase, kept, running } = getState();
  if (!lockBase) return;
  if (type === 'resume') {
    const { key } = args as { key: string };
    const info = kept.find((other) => other.key === key);
    if (info) requireUnlocked(locks, lockBase, info.experiment);
    else throw new LockError('experiment', 'This page is locked by its link, and it is not known what the kept run would change.');
  }
  if (type === 'loadTensors' || type === 'fetchTensors' || type === 'importWeights')
    throw new LockError('experiment', 'The settings of this page are locked by its link; a file of weights would bring its own.');
  if (type === 'rollback' && running)
    requireUnlocked(locks, lockBase, { ...running, train: { ...running.train, lr: (args as { lr: number }).lr } });
  if (ASKS.includes(type)) return;
  for (const experiment of experimentsIn(args)) requireUnlocked(locks, lockBase, experiment);
}

/** Experiments among the arguments of a command, alone or in a list. */
function experimentsIn(args: object): Experiment[] {
  const is = (value: unknown): value is Experiment =>
    typeof value === 'object' && value !== null && 'dataset' in value && 'train' in value && 'method' in value;
  return Object.values(args)
    .flat()
    .flatMap((value: unknown) => {
      if (is(value)) return [value];
      const inner = typeof value === 'object' && value !== null && 'experiment' in value ? value.experiment : undefined;
      return is(inner) ? [inner] : [];
    });
}
