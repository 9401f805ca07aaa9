import { useState } from 'react';
import { attempt } from '../../store/actions';
import { Menu } from '../controls/Menu';
import { ITEM_NAMES, type Format, type Item } from './export/items';

const FORMATS: readonly { format: Format; label: string }[] = [
  { format: 'png', label: 'PNG' },
  { format: 'svg', label: 'SVG' },
  { format: 'csv', label: 'CSV' },
];

// What writes files comes when one is asked for.
const save = async (item: Item, format: Format) => (await import('./export/save')).save(item, format);
const saveAll = async (told: (share: number) => void) => (await import('./export/save')).saveAll(told);

interface SaveMenuProps {
  title: string;
  what: readonly Item[];
  /** Offers the data of all pictures at once, too. */
  all?: boolean;
}

/** A small menu that saves pictures as PNG or SVG, and what is behind them as CSV. */
export function SaveMenu({ title, what, all = false }: SaveMenuProps) {
  const [share, setShare] = useState<number | null>(null);
  return (
    <Menu className="chart-btn chart-save" label={title} align="end" button="Save">
      {(close) => (
        <div className="chart-save-list">
          {what.map((item) => (
            <div key={item} role="group" aria-label={ITEM_NAMES[item]}>
              <span>{ITEM_NAMES[item]}</span>
              {FORMATS.map(({ format, label }) => (
                <button
                  key={format}
                  type="button"
                  className="chart-btn"
                  aria-label={`${ITEM_NAMES[item]} as ${label}`}
                  onClick={() => {
                    close();
                    attempt(save(item, format));
                  }}
                >
                  {label}
                </button>
              ))}
            </div>
          ))}
          {all && (
            <button
              type="button"
              className="chart-btn chart-save-all"
              disabled={share !== null}
              onClick={() => {
                setShare(0);
                attempt(
                  saveAll(setShare).finally(() => {
                    setShare(null);
                    close();
                  }),
                );
              }}
            >
              {share === null ? 'All data, one .zip' : `Packing, ${Math.round(share * 100)}\u2009%`}
            </button>
          )}
        </div>
      )}
    </Menu>
  );
}
