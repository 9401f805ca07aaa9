import { attempt, replayUrl } from '../../store/actions';
import { recordingName } from '../../store/recordings';
import { useRecordings } from './useRecordings';

/** The recorded runs that came with the page, to watch on any device; nothing where there are none. */
export function Recordings({ title }: { title: string }) {
  const list = useRecordings();
  if (list.length === 0) return null;
  return (
    <div className="recordings">
      <p>{title}</p>
      <ul>
        {list.map(({ file, name, label }) => (
          <li key={file}>
            <button type="button" className="btn line" onClick={() => attempt(replayUrl(recordingName(file)))}>
              {name}
            </button>
            <small>{label}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
