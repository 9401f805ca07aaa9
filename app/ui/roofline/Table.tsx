import { useMemo, useState } from 'react';
import { Icon } from '../icons';
import { PartMark } from './PartMark';
import { COLUMNS, sorted, type Order } from './rows';
import type { Row } from './shape';

interface TableProps {
  rows: readonly Row[];
  at: number | null;
  onAt: (index: number | null) => void;
}

/** Every kernel with its figures; a head sorts by its column, and again the other way round. */
export function Table({ rows, at, onAt }: TableProps) {
  const [order, setOrder] = useState<Order>({ by: 'milliseconds', down: true });
  const all = useMemo(() => sorted(rows, order), [rows, order]);
  return (
    <div className="roof-table" tabIndex={0} role="region" aria-label="Kernels of a step, table">
      <table>
        <thead>
          <tr>
            {COLUMNS.map(({ key, label, title }) => {
              const on = order.by === key;
              return (
                <th key={key} scope="col" aria-sort={on ? (order.down ? 'descending' : 'ascending') : undefined}>
                  <button
                    type="button"
                    title={title}
                    data-on={on || undefined}
                    data-down={order.down || undefined}
                    onClick={() => setOrder({ by: key, down: on ? !order.down : key !== 'name' && key !== 'part' })}
                  >
                    {label}
                    {on && <Icon name="down" />}
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {all.map((row) => (
            <tr
              key={row.index}
              data-at={row.index === at || undefined}
              onMouseEnter={() => onAt(row.index)}
              onMouseLeave={() => onAt(null)}
            >
              {COLUMNS.map(({ key, text }) =>
                key === 'name' ? (
                  <th key={key} scope="row" title={row.kernel}>
                    {text(row)}
                  </th>
                ) : (
                  <td key={key}>
                    {key === 'part' && <PartMark part={row.part} />}
                    {text(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
