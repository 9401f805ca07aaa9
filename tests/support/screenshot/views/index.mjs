import { charts } from './charts.mjs';
import { compare } from './compare.mjs';
import { first } from './first.mjs';
import { lessons } from './lessons.mjs';
import { loading } from './loading.mjs';
import { offline } from './offline.mjs';
import { replay } from './replay.mjs';
import { runs } from './runs.mjs';
import { see } from './see.mjs';
import { share } from './share.mjs';
import { states } from './states.mjs';

/**
 * Every story: one page that is led from view to view. `shots` are the pictures it makes; where none of them is wanted, it is not told.
 * @type {{ name: string, shots: string[], run: (studio: ReturnType<import('../studio.mjs').openStudio>) => Promise<void> }[]}
 */
export const STORIES = [first, runs, charts, see, share, compare, replay, lessons, loading, states, offline];
