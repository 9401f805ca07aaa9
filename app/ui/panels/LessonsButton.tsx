import { anyLocks } from '../../protocol/locks';
import { openLessons, toggleProjector } from '../../store/actions';
import { useStore } from '../../store/store';
import { Icon } from '../icons';

/** To the lessons, on a phone only where there is room (`phone`); not where a link has locked the page, since lessons set what it locks. */
export function LessonsButton({ phone = false }: { phone?: boolean }) {
  const locked = useStore((s) => anyLocks(s.locks));
  if (locked) return null;
  return (
    <button type="button" className={phone ? 'btn' : 'btn hide-m'} onClick={() => openLessons()}>
      Lessons
    </button>
  );
}

/** Type for a room. */
export function ProjectorButton({ words = false }: { words?: boolean }) {
  const on = useStore((s) => s.projector);
  return (
    <button
      type="button"
      className={words ? 'btn' : 'btn icon hide-m'}
      aria-pressed={on}
      aria-label="Projector"
      title="Larger type for a projector (P)"
      onClick={toggleProjector}
    >
      <Icon name="full" />
      {words && <span>Projector</span>}
    </button>
  );
}
