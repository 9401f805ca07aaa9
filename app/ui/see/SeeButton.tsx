import { openSee } from '../../store/actions';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

/** Opens and closes the view of what the model sees. */
export function SeeButton() {
  const open = useStore((s) => s.seeOpen);
  return (
    <button
      type="button"
      className="btn see-button"
      aria-pressed={open}
      title="Predictions, confusions and attention of the model as it is now"
      onClick={() => openSee(!open)}
    >
      <Icon name="eye" />
      <span>See the model</span>
    </button>
  );
}
