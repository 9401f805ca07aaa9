import { useId, useState } from 'react';
import { LOCKABLE, PARTS, standing, type Locks, type Standing } from '../../protocol/locks';
import { GROUPS } from '../../protocol/experiment';
import { teacherUrl } from '../../store/actions';
import { useStore } from '../../store/store';
import { LinkField } from '../controls/LinkField';

const STANDINGS: readonly { readonly value: Standing; readonly label: string }[] = [
  { value: 'free', label: 'Free' },
  { value: 'locked', label: 'Locked' },
  { value: 'hidden', label: 'Hidden' },
];
const SECTIONS = [
  { title: 'Data', keys: LOCKABLE.filter(({ path }) => path === 'dataset') },
  ...GROUPS.map(({ section }) => ({
    title: { model: 'Model', method: 'Method', train: 'Training' }[section],
    keys: LOCKABLE.filter(({ path }) => path.startsWith(`${section}.`)),
  })),
];

type Choice = Readonly<Record<string, Standing>>;
const all = (value: Standing): Choice => Object.fromEntries(LOCKABLE.map(({ key }) => [key, value]));
const START = [
  { label: 'All free', choice: all('free'), parts: [] },
  { label: 'All locked', choice: all('locked'), parts: ['presets', 'command', 'weights', 'compare'] },
  { label: 'Only λ', choice: { ...all('hidden'), lambda: 'free' as const }, parts: ['presets', 'command', 'weights', 'compare'] },
];

/** A link for a class: which settings are free, plain figures, or not there. What this page's own link took away stays so. */
export function TeacherPart() {
  const id = useId();
  const own = useStore((s) => s.locks);
  const [choice, setChoice] = useState<Choice>(() => Object.fromEntries(LOCKABLE.map(({ key, path }) => [key, standing(own, path)])));
  const [hidden, setHidden] = useState<readonly string[]>(own.hide.filter((key) => PARTS.some((part) => part.key === key)));
  const [projector, setProjector] = useState(false);
  const held = useStore((s) => s.lockBase !== null);
  const keys = (value: Standing) => LOCKABLE.filter(({ key }) => choice[key] === value).map(({ key }) => key);
  const free = keys('free');
  // Named shorter by what is left than by what is taken away.
  const short = free.length < keys('hidden').length;
  const locks: Locks = short
    ? { lock: keys('locked'), hide: [...hidden], only: free }
    : { lock: keys('locked'), hide: [...keys('hidden'), ...hidden], only: null };
  const link = teacherUrl(locks, projector);
  return (
    <>
      <p>
        Opens this page with these settings; what is locked or hidden cannot be changed on it, by link, file, key or script. A reload of the
        link starts it over.
      </p>
      {held && <p className="share-note">The link of this page locks settings. They stay locked in every link that is copied from it.</p>}
      <LinkField label="Teacher link" link={link} />
      <div className="teacher-start" role="group" aria-label="Begin with">
        {START.map(({ label, choice: next, parts }) => (
          <button
            key={label}
            type="button"
            className="btn line sm"
            disabled={held}
            onClick={() => {
              setChoice(next);
              setHidden(parts);
            }}
          >
            {label}
          </button>
        ))}
        <label>
          <input type="checkbox" checked={projector} onChange={(event) => setProjector(event.currentTarget.checked)} /> Projector type
        </label>
      </div>
      <table className="teacher-table">
        <thead>
          <tr>
            <th scope="col">Setting</th>
            {STANDINGS.map(({ value, label }) => (
              <th key={value} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        {SECTIONS.map(({ title, keys: rows }) => (
          <tbody key={title}>
            <tr className="group">
              <th scope="colgroup" colSpan={4}>
                {title}
              </th>
            </tr>
            {rows.map(({ key, label }) => (
              <tr key={key}>
                <th scope="row">{label}</th>
                {STANDINGS.map(({ value, label: name }) => (
                  <td key={value}>
                    <input
                      type="radio"
                      name={`${id}-${key}`}
                      aria-label={`${label}: ${name}`}
                      disabled={held}
                      checked={choice[key] === value}
                      onChange={() => setChoice({ ...choice, [key]: value })}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
        <tbody>
          <tr className="group">
            <th scope="colgroup" colSpan={4}>
              Parts of the page
            </th>
          </tr>
          {PARTS.map(({ key, label }) => (
            <tr key={key}>
              <th scope="row">{label}</th>
              {STANDINGS.map(({ value, label: name }) => (
                <td key={value}>
                  {value !== 'locked' && (
                    <input
                      type="radio"
                      name={`${id}-part-${key}`}
                      aria-label={`${label}: ${value === 'free' ? 'Shown' : name}`}
                      disabled={held}
                      checked={hidden.includes(key) === (value === 'hidden')}
                      onChange={() => setHidden(value === 'hidden' ? [...hidden, key] : hidden.filter((other) => other !== key))}
                    />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
