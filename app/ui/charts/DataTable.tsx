import { useEffect, useId, useRef, useState } from 'react';

export interface Table {
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
}

interface DataTableProps {
  title: string;
  caption: string;
  /** Called when the table opens, and once a second while it is open. */
  rows: () => Table;
}

/** The figures behind a chart as a table, in a sheet that opens on demand and costs nothing while it is closed. */
export function DataTable({ title, caption, rows }: DataTableProps) {
  const id = useId();
  const [table, setTable] = useState<Table | null>(null);
  const latest = useRef(rows);
  useEffect(() => {
    latest.current = rows;
  }, [rows]);
  const open = table !== null;
  useEffect(() => {
    if (!open) return;
    const timer = setInterval(() => setTable(latest.current()), 1000);
    return () => clearInterval(timer);
  }, [open]);
  return (
    <>
      <button type="button" className="chart-btn chart-data-open" popoverTarget={id} aria-label={`Show data: ${title}`}>
        Data
      </button>
      <div
        id={id}
        popover="auto"
        className="chart-data"
        role="dialog"
        aria-label={title}
        onToggle={(event) => setTable(event.newState === 'open' ? rows() : null)}
      >
        <div className="chart-head">
          <h2>{title}</h2>
          <small>{caption}</small>
          <span className="chart-grow" />
          <button type="button" className="chart-btn" popoverTarget={id} popoverTargetAction="hide">
            Close
          </button>
        </div>
        <div className="chart-data-scroll" tabIndex={0} role="region" aria-label={`${title}, table`}>
          {table && (
            <table>
              <thead>
                <tr>
                  {table.head.map((name) => (
                    <th key={name} scope="col">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {table.body.map((row, i) => (
                  <tr key={i}>
                    {row.map((value, c) =>
                      c === 0 ? (
                        <th key={c} scope="row">
                          {value}
                        </th>
                      ) : (
                        <td key={c}>{value}</td>
                      ),
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
      </div>
    </>
  );
}
