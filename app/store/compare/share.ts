import { gridParts, pairParts, readCompareLink } from '../../protocol/compareLink';
import type { Experiment } from '../../protocol/experiment';
import { partShown } from '../../protocol/locks';
import { parseShareUrl } from '../../protocol/shareUrl';
import { isLocked, notify, openCompare, shareUrl, tellProblems } from '../actions';
import { getState } from '../store';
import { setExperiments } from './ab';
import { useAb } from './abStore';
import { GridError, makeGrid, suggestGrid, textOf, type GridText } from './grid/definition';
import { setUpGrid } from './grid/grid';
import { setupBase, useGrid } from './grid/gridStore';
import { showCompareTab } from './store';
import { withValue } from './values';

/** The link that opens Compare with A and B as they are. */
export function pairUrl(): string {
  const { a, b } = useAb.getState();
  return [shareUrl(a.experiment), ...pairParts(a.experiment, b.experiment)].join('&');
}

/** The link that opens the set-up of the grid on screen, or of the one that is being set up. */
export function gridUrl(): string {
  const { definition, draft } = useGrid.getState();
  const base = definition?.base ?? setupBase(useGrid.getState(), getState().experiment);
  const text = definition ? textOf(definition) : (draft ?? suggestGrid(base, (path) => !isLocked(path)));
  return [shareUrl(withSteps(base, text.steps)), ...gridParts({ across: text.x, up: text.y, seeds: text.seeds })].join('&');
}

/** The length that was typed; that of the experiment where it is none. */
function withSteps(base: Experiment, steps: string): Experiment {
  try {
    return withValue(base, 'train.steps', steps);
  } catch {
    return base;
  }
}

/**
 * Opens Compare with what a link holds: `base` is the text of its experiment. Where two runs are under way already, it asks first; what is wrong
 * with the link is told. @throws LockError where the page's link locks what B changes
 */
export async function openComparison(base: string, parts: readonly string[]): Promise<void> {
  const { link, problems } = readCompareLink(base, parts);
  tellProblems(problems);
  if (!link) return;
  const { embed, locks } = getState();
  if (embed || !partShown(locks, 'compare')) {
    notify('warn', embed ? 'A frame shows no comparison; open the link in a tab of its own.' : 'The link of this page hides Compare.');
    return;
  }
  const { experiment } = parseShareUrl(base);
  if (link.tab === 'ab') {
    const origins = [
      { name: 'A of the link', experiment },
      { name: 'B of the link', experiment: link.b },
    ] as const;
    await setExperiments(experiment, link.b, 'the link', origins);
  } else {
    const seeds = link.seeds || String(experiment.train.seed);
    const text: GridText = { x: link.across, y: link.up, seeds, steps: String(experiment.train.steps) };
    try {
      makeGrid(experiment, text, '', 0);
    } catch (error) {
      if (!(error instanceof GridError)) throw error;
      // It stands in the form, to be mended there.
      tellProblems([{ field: { x: 'across', y: 'up', seeds: 'seeds', steps: 'steps' }[error.part], message: error.message }]);
    }
    if (!setUpGrid(experiment, text)) notify('warn', 'A grid is under way; stop it, and open the link again, to set another one up.');
  }
  showCompareTab(link.tab);
  await openCompare();
}
