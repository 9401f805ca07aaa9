import { showTab } from '../../store/actions';
import { useStore, type Tab } from '../../store/store';
import { Icon, type IconName } from '../icons';

const TABS: readonly { key: Tab; label: string; icon: IconName }[] = [
  { key: 'watch', label: 'Watch', icon: 'wall' },
  { key: 'matrix', label: 'Matrix', icon: 'curve' },
  { key: 'runs', label: 'Runs', icon: 'runs' },
  { key: 'setup', label: 'Setup', icon: 'setup' },
];

/** The panes of a narrow screen. */
export function Tabs() {
  const tab = useStore((s) => s.tab);
  return (
    <nav className="tabs" aria-label="Views">
      {TABS.map(({ key, label, icon }) => (
        <button key={key} type="button" aria-current={tab === key ? 'page' : undefined} onClick={() => showTab(key)}>
          <Icon name={icon} />
          {label}
        </button>
      ))}
    </nav>
  );
}
