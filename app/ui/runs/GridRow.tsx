import { attempt, deleteRuns, openCompare, openRuns, unfoldGrid } from '../../store/actions';
import { useStore, type RunGrid, type RunSummary } from '../../store/store';
import { Menu } from '../controls/Menu';
import { usePart } from '../controls/LockedField';
import { plural, whole } from '../format';
import { Icon } from '../icons';
import { bestOf, percent, type GridRows } from './tableRows';

interface GridRowProps extends GridRows {
  readonly large: boolean;
  readonly open: boolean;
  readonly chosen?: boolean;
  readonly onChoose?: (chosen: boolean) => void;
}

/** All runs of a grid in one row, which lists them when it is pressed; its figures are those of the best. */
export function GridRow({ grid, runs, large, open, chosen, onChoose }: GridRowProps) {
  const shown = useStore((s) => s.shown.filter(({ record }) => runs.some(({ id }) => id === record.id)).length);
  const best = bestOf(runs);
  const count = plural(runs.length, 'run');
  const name = `Grid ${grid.name}`;
  return (
    <tr className="run-grid">
      {onChoose && (
        <td className="box">
          <input
            type="checkbox"
            aria-label={`Choose all ${count} of ${name}`}
            checked={chosen}
            onChange={(event) => onChoose(event.currentTarget.checked)}
          />
        </td>
      )}
      <th scope="row" className="name">
        <button type="button" className="disclose" aria-expanded={open} onClick={() => unfoldGrid(grid.id, !open)}>
          <Icon name="right" />
          <span>{name}</span>
        </button>
      </th>
      <td className="against">
        <span className="run-state">
          {count}
          {shown > 0 && `, ${whole(shown)} drawn`}
          {best && runs.length > 1 && `; best: ${best.name}`}
        </span>
      </td>
      <td className="spark" />
      {large && <td className="num">{best && whole(best.step)}</td>}
      {large && <td className="num">{best?.losses.at(-1)?.toFixed(3)}</td>}
      <td className="num figure">{best && percent(best.accuracy)}</td>
      <td className="num figure">{best && percent(best.accuracyCut)}</td>
      <td className="num tail">{best && best.tail !== null && `${percent(best.tail)} %`}</td>
      {large && <td className="made" />}
      <td className="run-acts">
        <span>
          <GridMenu grid={grid} runs={runs} name={name} count={count} />
        </span>
      </td>
    </tr>
  );
}

function GridMenu({ grid, runs, name, count }: { grid: RunGrid; runs: readonly RunSummary[]; name: string; count: string }) {
  const compare = usePart('compare');
  return (
    <Menu className="btn icon" label={`More on ${name}`} title="More" align="end" button={<Icon name="more" />}>
      {(close) => (
        <div className="menu-list run-menu">
          {compare && (
            <button
              type="button"
              onClick={() => {
                close();
                attempt(openGridOf(grid.id));
              }}
            >
              <b>Open the grid</b>
              <span>Its map, and accuracy against parameters.</span>
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              close();
              deleteRuns(runs.map(({ id }) => id));
            }}
          >
            <b>Delete {count}</b>
            <span>From this table; the map of the grid stays.</span>
          </button>
        </div>
      )}
    </Menu>
  );
}

/** The grid's own screen. */
async function openGridOf(id: string): Promise<void> {
  const [{ showGridById }, { showCompareTab }] = await Promise.all([
    import('../../store/compare/grid/grid'),
    import('../../store/compare/store'),
  ]);
  await showGridById(id);
  showCompareTab('grid');
  openRuns(false);
  await openCompare();
}
