import { toggleTheme } from '../../store/actions';
import { Icon } from '../icons';

export const ThemeButton = () => (
  <button type="button" className="btn icon" aria-label="Switch theme" title="Switch theme" onClick={toggleTheme}>
    <Icon name="theme" />
  </button>
);
