import { Menu } from '../controls/Menu';
import { Icon } from '../icons';

const KEYS = [
  ['Space', 'Play or pause'],
  ['.', 'One step'],
  ['R', 'Back to step 0, same weights'],
  ['N', 'New seed: other weights, other order'],
  ['← ↑ → ↓', 'Move over the wall, when it has the focus'],
  ['P', 'Larger type for a projector'],
  ['Esc', 'Close a menu or the settings; leave the projector type'],
] as const;

/** The keys, behind a question mark. */
export const KeyHelp = () => (
  <Menu className="btn icon hide-m" label="Keys" title="Keys" align="end" button={<Icon name="help" />}>
    {() => (
      <dl className="keys-list" tabIndex={-1} data-autofocus>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    )}
  </Menu>
);
