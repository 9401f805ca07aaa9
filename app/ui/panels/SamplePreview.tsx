import { useEffect, useState } from 'react';
import { attempt, preview } from '../../store/actions';
import { useStore, type Samples } from '../../store/store';
import { Thumbnail } from '../first/Thumbnails';

const COUNT = 12;

/** A batch as the run will see it: shuffled, cropped, flipped and whatever else the augmentation does. */
export function SamplePreview() {
  const info = useStore((s) => s.loaded[s.experiment.dataset]);
  const ready = useStore((s) => s.device !== null);
  const [open, setOpen] = useState(false);
  if (!info || !ready) return null;
  return (
    <details className="ranks more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Samples as the model sees them</summary>
      {open && <Grid classes={info.classes} />}
    </details>
  );
}

function Grid({ classes }: { classes: readonly string[] }) {
  const name = useStore((s) => s.experiment.dataset);
  const info = useStore((s) => s.loaded[name]);
  const seed = useStore((s) => s.experiment.train.seed);
  // All that changes what a batch looks like; the action itself takes the whole experiment.
  const recipe = useStore((s) => {
    const { augment, mixup, cutmix } = s.experiment.train;
    return `${augment} ${mixup} ${cutmix} ${s.experiment.model.imageSize}`;
  });
  const [draw, setDraw] = useState(0);
  const [samples, setSamples] = useState<Samples | null>(null);
  useEffect(() => {
    let current = true;
    attempt(
      preview(COUNT, draw).then((drawn) => {
        if (current) setSamples(drawn);
      }),
    );
    return () => {
      current = false;
    };
  }, [name, info, seed, recipe, draw]);
  return (
    <div className="preview">
      <ul className="samples" aria-label="Augmented training images" aria-busy={samples === null}>
        {samples?.labels.map((label, i) => (
          <li key={i}>
            <Thumbnail samples={samples} index={i} title={classes[label] ?? String(label)} />
            <span className="cut" aria-hidden="true">
              {classes[label] ?? label}
            </span>
          </li>
        ))}
      </ul>
      <p className="why spread">
        <span>
          Batch {draw + 1} of seed {seed}
        </span>
        <button type="button" className="link" onClick={() => setDraw(draw + 1)}>
          Draw again
        </button>
      </p>
    </div>
  );
}
