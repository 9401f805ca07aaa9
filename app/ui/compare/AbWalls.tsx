import { useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { techniqueName } from '../../protocol/settings';
import { hoverPair, selectPair } from '../../store/compare/ab';
import { SIDES, useAb, type SideName } from '../../store/compare/abStore';
import { formatFixed, formatPercent, matrixLabel } from '../charts/format';
import { RunMark } from '../charts/RunMark';
import { hasEpsilon } from '../charts/spectrum';
import { SpectrumWallView } from '../charts/SpectrumWallView';
import { useTopDecade } from '../charts/useTopDecade';
import { Segmented } from '../controls/Segmented';
import { frameAt } from '../../store/compare/figures';
import { SourceMenu } from './SourceMenu';
import { shortNote } from './words';

/** The spectra of both runs after the same step, on one scale; on a phone, one of them at a time. */
export function AbWalls() {
  const [shown, setShown] = useState<SideName>('a');
  const { a, b, look, selected, hovered, preparing } = useAb(
    useShallow((s) => ({ a: s.a, b: s.b, look: s.look, selected: s.selected, hovered: s.hovered, preparing: s.phase === 'preparing' })),
  );
  const matrices = {
    a: (look === null ? a.state.spectra : frameAt(a.frames, look))?.matrices ?? null,
    b: (look === null ? b.state.spectra : frameAt(b.frames, look))?.matrices ?? null,
  };
  const top = useTopDecade(matrices.a, matrices.b);
  const all = [...(matrices.a ?? []), ...(matrices.b ?? [])];
  const about = hovered ?? selected;
  const found = SIDES.map((name) => matrices[name]?.find((m) => m.name === about));
  const label = found.find((m) => m !== undefined);
  return (
    <div className="cmp-walls">
      <div className="only-phone">
        <Segmented label="Wall" value={shown} options={SIDES.map((value) => ({ value, label: value.toUpperCase() }))} onChange={setShown} />
      </div>
      <div className="cmp-pair" data-shown={shown}>
        {SIDES.map((name, i) => {
          const side = name === 'a' ? a : b;
          return (
            <section key={name} aria-label={`Run ${name.toUpperCase()}`} data-side={name}>
              <div className="chart-head cmp-side">
                <span className="cmp-badge">{name.toUpperCase()}</span>
                <RunMark style={i + 1} />
                <h2>{techniqueName(side.experiment)}</h2>
                <span className="cmp-note">{shortNote(side.experiment)}</span>
                <span className="chart-grow" />
                <SourceMenu side={name} />
              </div>
              <SpectrumWallView
                name={`Spectra of ${name.toUpperCase()}`}
                matrices={matrices[name]}
                baseline={null}
                view="run"
                top={top}
                selected={selected}
                hovered={hovered}
                onSelect={selectPair}
                onHover={hoverPair}
                onView={() => undefined}
                empty={
                  <p>
                    {preparing
                      ? (side.state.stages.find((s) => s.state === 'active')?.label ?? 'Preparing')
                      : 'Its singular values appear here.'}
                  </p>
                }
              />
            </section>
          );
        })}
      </div>
      <div className="cmp-legend chart-legend">
        <span>
          <i className="chart-key head" />
          kept
        </span>
        <span>
          <i className="chart-key tail" />
          tail
        </span>
        <span>
          <i className="chart-key target" />
          target
        </span>
        {all.some(hasEpsilon) && (
          <span>
            <i className="chart-key epsilon" />ε
          </span>
        )}
        {label && (
          <span className="chart-readout cmp-readout">
            <b>{matrixLabel(label)}</b>
            {found.map(
              (m, i) =>
                m && (
                  <span key={i}>
                    {SIDES[i]!.toUpperCase()} rank <b>{formatFixed(m.effectiveRank, 1)}</b> tail{' '}
                    <b>{formatPercent(Math.max(0, 1 - m.tailRatio))}</b>
                  </span>
                ),
            )}
          </span>
        )}
      </div>
    </div>
  );
}
