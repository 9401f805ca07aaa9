import { useEffect, useMemo, useState } from 'react';
import { agreement, type Survey } from '../../protocol/inspection';
import { attempt, attemptNow, canSee, followModel, openSee, play, refreshSee, runHere, seenCut, showSee } from '../../store/actions';
import { useStore, type SeeTab } from '../../store/store';
import { formatFixed, formatPercent } from '../charts/format';
import { Segmented } from '../charts/Segmented';
import { DATASET_CONFIGS } from '../datasets';
import { whole } from '../format';
import { Icon } from '../icons';
import { Attention } from './Attention';
import { Confusion } from './Confusion';
import { CutSlider } from './CutSlider';
import { ALL_SAMPLES, type SampleFilter } from './samples';
import { Samples } from './Samples';
import { SourceBar } from './SourceBar';

const TABS: readonly { value: SeeTab; label: string }[] = [
  { value: 'samples', label: 'Samples' },
  { value: 'confusion', label: 'Confusion' },
  { value: 'attention', label: 'Attention' },
];
/** How often the view asks whether it is behind the run, milliseconds. */
const LOOK = 250;

/** What the run's model says of images and what it attends to, whole and truncated. Stands in the place of the stage. */
export function SeeModel() {
  const tab = useStore((s) => s.seeTab);
  const ready = useStore(canSee);
  const busy = useStore((s) => s.seeBusy);
  useEffect(() => {
    const timer = setInterval(() => attempt(followModel()), LOOK);
    return () => clearInterval(timer);
  }, []);
  return (
    <section className="see" aria-labelledby="see-title" aria-busy={busy}>
      <div className="chart-head see-head">
        <h2 id="see-title">See the model</h2>
        <Shown />
        <span className="chart-grow" />
        <Segmented label="Show" options={TABS} value={tab} onChange={showSee} />
        <button type="button" className="chart-btn" disabled={!ready || busy} onClick={() => attempt(refreshSee())}>
          Refresh
        </button>
        <button
          type="button"
          className="chart-btn icon"
          aria-label="Back to the spectra"
          title="Back to the spectra"
          onClick={() => openSee(false)}
        >
          <Icon name="close" />
        </button>
      </div>
      {ready ? <Content /> : <Empty />}
    </section>
  );
}

/** Of which step the view speaks. */
function Shown() {
  const step = useStore((s) => (s.seeTab === 'attention' ? s.inspection?.value.step : s.survey?.step));
  const average = useStore((s) => s.running !== null && s.running.train.emaDecay > 0);
  const busy = useStore((s) => s.seeBusy);
  if (step === undefined) return <small>{busy ? 'Looking' : ''}</small>;
  return (
    <small className="see-step">
      step {whole(step)}
      {average && ', averaged weights'}
    </small>
  );
}

function Empty() {
  const busy = useStore((s) => s.starting || s.phase === 'preparing');
  const blocked = useStore((s) => s.device === null || s.planError !== null || s.plan?.refusal !== undefined);
  const dead = useStore((s) => s.device === null && s.fault !== null);
  const replay = useStore((s) => s.replay !== null);
  if (replay && !dead)
    return (
      <div className="see-empty">
        <p>
          A recording holds curves and spectra, and no weights: what the model sees appears here once the same experiment is run on this
          device.
        </p>
        <button type="button" className="chart-btn primary" disabled={blocked} onClick={() => attemptNow(runHere)}>
          Run it here
        </button>
      </div>
    );
  return (
    <div className="see-empty">
      <p>
        {dead
          ? 'Looking into a model needs a run on this device, and so WebGPU; a recorded run holds no weights.'
          : busy
            ? 'The run is being prepared.'
            : 'Its predictions, its confusions and what it attends to appear here once there is a run.'}
      </p>
      {!busy && !dead && (
        <button type="button" className="chart-btn primary" disabled={blocked} onClick={() => attempt(play())}>
          Play
        </button>
      )}
    </div>
  );
}

function Content() {
  const tab = useStore((s) => s.seeTab);
  const survey = useStore((s) => s.survey);
  const inspection = useStore((s) => s.inspection);
  const source = useStore((s) => s.seeSource);
  const error = useStore((s) => s.seeError);
  const cutLabel = useStore((s) => {
    const cut = seenCut(s);
    if (!cut) return '';
    return 'energy' in cut ? `Cut to ${formatFixed(100 * cut.energy, 1)}\u2009% energy` : `Cut to ${Math.round(100 * cut.fraction)}\u2009%`;
  });
  const outputs = (tab === 'attention' ? inspection?.value.classes : survey?.classes) ?? 0;
  const names = useNames(outputs);
  const [filter, setFilter] = useState<SampleFilter>(ALL_SAMPLES);
  const openCell = (label: number, predicted: number) => {
    setFilter({ ...ALL_SAMPLES, label, predicted });
    showSee('samples');
  };
  return (
    <>
      {tab !== 'attention' && survey && <Figures survey={survey} cutLabel={cutLabel} />}
      {tab === 'attention' && <SourceBar source={source} />}
      {error && (
        <div className="note danger" role="alert">
          <Icon name="warn" />
          <p>{error}</p>
          <button type="button" className="btn line" onClick={() => attempt(refreshSee())}>
            Try again
          </button>
        </div>
      )}
      {tab === 'samples' && survey && <Samples survey={survey} names={names} cutLabel={cutLabel} filter={filter} onFilter={setFilter} />}
      {tab === 'confusion' && survey && <Confusion survey={survey} names={names} cutLabel={cutLabel} onCell={openCell} />}
      {tab === 'attention' && inspection && (
        <Attention source={inspection.source} inspection={inspection.value} names={names} cutLabel={cutLabel} />
      )}
      {!error && (tab === 'attention' ? !inspection : !survey) && <p className="see-none">The model is looking.</p>}
    </>
  );
}

/** Names of the model's outputs; those past the data set's classes have none but their number. */
function useNames(outputs: number): readonly string[] {
  const dataset = useStore((s) => s.running?.dataset);
  const classes = useStore((s) => (s.running ? s.loaded[s.running.dataset]?.classes : undefined));
  return useMemo(() => {
    const known = classes ?? (dataset ? DATASET_CONFIGS[dataset].classes : []);
    return Array.from({ length: Math.max(outputs, known.length) }, (_, i) => known[i] ?? `output ${i}`);
  }, [classes, dataset, outputs]);
}

/** Accuracy of both models, and on how many images they agree. */
function Figures({ survey, cutLabel }: { survey: Survey; cutLabel: string }) {
  const { full, cut, count } = survey;
  return (
    <div className="see-figures">
      <Figure label="Whole model" value={formatPercent(full.accuracy, 1)} />
      {cut && (
        <>
          <Figure label={cutLabel} value={formatPercent(cut.accuracy, 1)} />
          <Figure label="Both say the same" value={formatPercent(agreement(survey, full, cut), 1)} />
        </>
      )}
      <Figure label="Test images" value={whole(count)} />
      {cut && <CutSlider />}
    </div>
  );
}

const Figure = ({ label, value }: { label: string; value: string }) => (
  <p className="see-figure">
    <span className="lab">{label}</span>
    <b>{value}</b>
  </p>
);
