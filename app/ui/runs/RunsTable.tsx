import { runOnScreen, sortRuns } from '../../store/actions';
import { useStore, type RunColumn, type RunSummary } from '../../store/store';
import { GridRow } from './GridRow';
import { RunRow } from './RunRow';
import { foldedRows } from './tableRows';

interface RunsTableProps {
  readonly rows: readonly RunSummary[];
  readonly large?: boolean;
  /** Every grid is unfolded: what a filter found is seen. */
  readonly unfold?: boolean;
  readonly chosen?: ReadonlySet<string>;
  readonly onChoose?: (ids: readonly string[], chosen: boolean) => void;
}

/** The kept runs, sorted by pressing a column's head. */
export function RunsTable({ rows, large = false, unfold = false, chosen, onChoose }: RunsTableProps) {
  const here = useStore(runOnScreen);
  const open = useStore((s) => s.runGridsOpen);
  const all = rows.length > 0 && rows.every(({ id }) => chosen?.has(id));
  return (
    <table className={large ? 'runs-table large' : 'runs-table'}>
      <thead>
        <tr>
          {onChoose && (
            <th className="box">
              <input
                type="checkbox"
                aria-label="Choose all"
                checked={all}
                onChange={(event) =>
                  onChoose(
                    rows.map(({ id }) => id),
                    event.currentTarget.checked,
                  )
                }
              />
            </th>
          )}
          <Head column="name" className="name">
            Run
          </Head>
          <th className="against">Against this run</th>
          {large ? (
            <th className="spark">Curve</th>
          ) : (
            <Head column="loss" className="spark">
              Loss
            </Head>
          )}
          {large && (
            <Head column="step" className="num">
              Steps
            </Head>
          )}
          {large && (
            <Head column="loss" className="num">
              Loss
            </Head>
          )}
          <Head column="accuracy" className="num" title="Validation accuracy, %">
            Accuracy
          </Head>
          <Head column="accuracyCut" className="num" title="Accuracy with 20 % of the targeted parameters kept, %">
            at 20 %
          </Head>
          <Head column="tail" className="num tail" title="Share of Σ σ² past the target ranks">
            Tail
          </Head>
          {large && (
            <Head column="date" className="made">
              Made
            </Head>
          )}
          <td className="run-acts" />
        </tr>
      </thead>
      <tbody>
        {foldedRows(rows, here, unfold ? rows.flatMap(({ grid }) => grid?.id ?? []) : open).map((row) =>
          'runs' in row ? (
            <GridRow
              key={row.grid.id}
              {...row}
              large={large}
              open={unfold || open.includes(row.grid.id)}
              {...(onChoose && {
                chosen: row.runs.every(({ id }) => chosen?.has(id)),
                onChoose: (on: boolean) =>
                  onChoose(
                    row.runs.map(({ id }) => id),
                    on,
                  ),
              })}
            />
          ) : (
            <RunRow
              key={row.id}
              run={row}
              large={large}
              {...(onChoose && { chosen: chosen?.has(row.id) ?? false, onChoose: (on: boolean) => onChoose([row.id], on) })}
            />
          ),
        )}
      </tbody>
    </table>
  );
}

interface HeadProps {
  readonly column: RunColumn;
  readonly className: string;
  readonly title?: string;
  readonly children: string;
}

function Head({ column, className, title, children }: HeadProps) {
  const sort = useStore((s) => s.runSort);
  const mine = sort.column === column;
  return (
    <th className={className} aria-sort={mine ? (sort.down ? 'descending' : 'ascending') : undefined}>
      <button type="button" className="run-sort" title={title} onClick={() => sortRuns(column)}>
        {children}
        {mine && <span aria-hidden="true">{sort.down ? '↓' : '↑'}</span>}
      </button>
    </th>
  );
}
