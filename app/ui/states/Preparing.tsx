import { attempt, cancelStart } from '../../store/actions';
import { useStore } from '../../store/store';
import { Meter } from '../controls/Meter';
import { Icon } from '../icons';

/** What is being done before the first step, with its numbers. */
export function Preparing() {
  const stages = useStore((s) => s.stages);
  const progress = useStore((s) => s.stagesProgress);
  const measured = useStore((s) => s.device !== null);
  return (
    <section className="panel" aria-labelledby="preparing" aria-busy="true">
      <h1 id="preparing">Getting the GPU ready</h1>
      <div className="list" aria-live="polite">
        {stages.length === 0 && (
          <div className="now">
            <i className="dot" />
            <span>{measured ? 'Compiling shaders' : 'Opening the graphics device'}</span>
            <span className="num" />
          </div>
        )}
        {stages.map((stage) => (
          <div key={stage.label} className={stage.state === 'done' ? 'done' : stage.state === 'active' ? 'now' : ''}>
            {stage.state === 'done' ? <Icon name="check" /> : <i className="dot" />}
            <span>{stage.label}</span>
            <span className="num">{stage.detail}</span>
          </div>
        ))}
      </div>
      <Meter label="Preparation" share={stages.length > 0 ? progress : 0} />
      <div className="meta">
        <span>The first time takes longest; what is compiled is kept until the tab closes.</span>
        <button type="button" className="btn" onClick={() => attempt(cancelStart())}>
          Cancel
        </button>
      </div>
    </section>
  );
}
