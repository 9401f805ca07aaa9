import { Component, Suspense, type ReactNode } from 'react';
import { CopyButton } from '../controls/CopyButton';
import { Icon } from '../icons';

/** How browsers say that a script did not come. */
const NOT_LOADED = /dynamically imported module|importing a module script failed|error loading/i;

interface Props {
  readonly children: ReactNode;
  /** Stands there while a script is on its way. */
  readonly fallback?: ReactNode;
  /** Another value is another try. */
  readonly at?: string;
}
interface State {
  readonly error: Error | null;
  readonly at: string | undefined;
}

/**
 * Holds a part of the page, so that one that fails does not take the rest with it: a script that the network lost or that a newer version
 * of the page has replaced, or a mistake in a view. Training goes on in its worker meanwhile.
 */
export class Boundary extends Component<Props, State> {
  override state: State = { error: null, at: this.props.at };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
  static getDerivedStateFromProps({ at }: Props, state: State): State | null {
    return at === state.at ? null : { error: null, at };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return <Suspense fallback={this.props.fallback}>{this.props.children}</Suspense>;
    const lost = NOT_LOADED.test(error.message);
    return (
      <section className="panel fault" aria-labelledby="part-failed">
        <h1 id="part-failed">{lost ? 'A part of the page did not arrive' : 'A part of the page failed'}</h1>
        <div className="note danger" role="alert">
          <Icon name="warn" />
          <span>
            {lost ? 'The network lost it, or the page has a newer version. ' : `${error.message}. `}
            Reload the page to go on. Kept runs stay, and a run that trains is offered again from its last checkpoint.
          </span>
        </div>
        <div className="acts">
          <button type="button" className="btn primary" onClick={() => location.reload()}>
            Reload
          </button>
          <CopyButton label="Copy report" content={() => reportOf(error)} />
        </div>
      </section>
    );
  }
}

const reportOf = (error: Error): string =>
  [
    `Q3R Playground ${__APP_VERSION__}`,
    `Time: ${new Date().toISOString()}`,
    `Browser: ${navigator.userAgent}`,
    error.stack ?? error.message,
  ].join('\n');
