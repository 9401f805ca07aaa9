import type { ReactNode } from 'react';
import { useStore } from '../../store/store';
import { experimentName } from '../datasets';
import { Icon } from '../icons';
import { Transport } from '../panels/Transport';

/** This page without the frame. */
const wholePage = (): string => location.href.replace(/([#&])embed=1(&|$)/, (_, before: string, after: string) => (after ? before : ''));

/** The page as a frame in another: the run's controls and pictures. `children` is the stage. */
export function EmbedScreen({ children }: { children: ReactNode }) {
  const name = useStore((s) => experimentName(s.running ?? s.experiment));
  // Its address follows what is on screen.
  useStore((s) => s.replay);
  return (
    <div className="app" data-embed data-show="watch">
      <div className="embed-top">
        <Transport />
        <a className="embed-open" href={wholePage()} target="_blank" rel="noopener">
          <Icon name="open" />
          <span>Open in a new tab</span>
        </a>
      </div>
      <main className="panes">
        <h1 className="sr">{name}</h1>
        {children}
      </main>
    </div>
  );
}
