import { attemptNow, dismiss } from '../../store/actions';
import { useStore } from '../../store/store';
import { Icon } from '../icons';
import { GridNote } from './GridNote';
import { RunNotes } from '../runs/RunNotes';
import { KeptNotes } from './KeptNotes';
import { UpdateNote } from './UpdateNote';

const LOOK = { info: ['info', 'info'], warn: ['warn', 'warn'], error: ['danger', 'warn'] } as const;

/** What went a little wrong, or well: told once, kept until dismissed. */
export function Notices() {
  const notices = useStore((s) => s.notices);
  const comparing = useStore((s) => s.screen === 'compare');
  return (
    <div className="notices" aria-live="polite" aria-relevant="additions">
      <UpdateNote />
      {!comparing && <KeptNotes />}
      {!comparing && <GridNote />}
      {!comparing && <RunNotes />}
      {notices.map((notice) => {
        const [tone, icon] = LOOK[notice.level];
        return (
          <div key={notice.id} className={`note ${tone}`} role={notice.level === 'info' ? 'status' : 'alert'}>
            <Icon name={icon} />
            <div>
              <p>{notice.message}</p>
              {notice.lines.length > 0 && (
                <ul>
                  {notice.lines.map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                </ul>
              )}
            </div>
            {notice.action && (
              <button
                type="button"
                className="btn line sm"
                onClick={() => {
                  dismiss(notice.id);
                  attemptNow(notice.action!.run);
                }}
              >
                {notice.action.label}
              </button>
            )}
            <button type="button" className="btn icon" aria-label="Dismiss" onClick={() => dismiss(notice.id)}>
              <Icon name="close" />
            </button>
          </div>
        );
      })}
    </div>
  );
}
