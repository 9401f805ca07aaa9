import { useMemo, useState } from 'react';
import type { Survey } from '../../protocol/inspection';
import { showTestImage } from '../../store/actions';
import { formatPercent } from '../charts/format';
import { Segmented } from '../charts/Segmented';
import { whole } from '../format';
import { Picture } from './Picture';
import { Predicted, Verdict } from './Predicted';
import { ALL_SAMPLES, selectSamples, type SampleFilter, type SampleOrder } from './samples';
import { useTestImages, type TestImages } from './useTestImages';

const PAGE = 24;
const SHOWS = [
  { value: 'all', label: 'All' },
  { value: 'wrong', label: 'Wrong only' },
] as const;
const APART = [...SHOWS, { value: 'apart', label: 'Cut says other' }] as const;
const ORDERS: readonly { value: SampleOrder; label: string }[] = [
  { value: 'order', label: 'in order' },
  { value: 'unsure', label: 'least sure first' },
  { value: 'sure', label: 'surest first' },
];

interface SamplesProps {
  readonly survey: Survey;
  readonly names: readonly string[];
  readonly cutLabel: string;
  readonly filter: SampleFilter;
  readonly onFilter: (filter: SampleFilter) => void;
}

/** Test images with what the model says of them. */
export function Samples({ survey, names, cutLabel, filter, onFilter }: SamplesProps) {
  const [pages, setPages] = useState(1);
  const found = useMemo(() => selectSamples(survey, survey.full, filter), [survey, filter]);
  const shown = found.slice(0, pages * PAGE);
  const images = useTestImages(shown);
  const set = (patch: Partial<SampleFilter>) => {
    setPages(1);
    onFilter({ ...filter, ...patch });
  };
  const left = found.length - shown.length;
  return (
    <>
      <div className="see-bar">
        <Segmented label="Which images" options={survey.cut ? APART : SHOWS} value={filter.show} onChange={(show) => set({ show })} />
        <select
          className="chart-menu"
          aria-label="Order"
          value={filter.order}
          onChange={(event) => set({ order: event.currentTarget.value as SampleOrder })}
        >
          {ORDERS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <ClassMenu label="Class" any="every class" names={names} value={filter.label} onChange={(label) => set({ label })} />
        <ClassMenu
          label="Predicted as"
          any="taken for any"
          prefix="taken for "
          names={names}
          value={filter.predicted}
          onChange={(predicted) => set({ predicted })}
        />
        <span className="chart-grow" />
        <small role="status">
          {whole(found.length)} of {whole(survey.count)} images
        </small>
      </div>
      {found.length === 0 ? (
        <p className="see-none">
          None of the {whole(survey.count)} images is like that.{' '}
          <button type="button" className="link" onClick={() => set(ALL_SAMPLES)}>
            Show all
          </button>
        </p>
      ) : (
        <ul className="see-samples" aria-label="Test images">
          {shown.map((index) => (
            <Sample key={index} index={index} survey={survey} names={names} cutLabel={cutLabel} images={images} />
          ))}
        </ul>
      )}
      {left > 0 && (
        <button type="button" className="btn line see-more" onClick={() => setPages(pages + 1)}>
          Show {whole(Math.min(PAGE, left))} more
        </button>
      )}
    </>
  );
}

function ClassMenu(o: {
  label: string;
  any: string;
  prefix?: string;
  names: readonly string[];
  value: number | null;
  onChange: (value: number | null) => void;
}) {
  return (
    <select
      className="chart-menu"
      aria-label={o.label}
      value={o.value ?? ''}
      onChange={(event) => o.onChange(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
    >
      <option value="">{o.any}</option>
      {o.names.map((name, i) => (
        <option key={i} value={i}>
          {o.prefix}
          {name}
        </option>
      ))}
    </select>
  );
}

interface SampleProps {
  readonly index: number;
  readonly survey: Survey;
  readonly names: readonly string[];
  readonly cutLabel: string;
  readonly images: TestImages;
}

function Sample({ index, survey, names, cutLabel, images }: SampleProps) {
  const { labels, best, full, cut } = survey;
  const actual = labels[index]!;
  const said = full.top[index * best]!;
  const ranked = Array.from({ length: best }, (_, j) => ({
    name: names[full.top[index * best + j]!]!,
    probability: full.probability[index * best + j]!,
  }));
  const other = cut && cut.top[index * best] !== said ? cut.top[index * best]! : null;
  return (
    <li>
      <button type="button" className="see-sample" onClick={() => showTestImage(index)} title="See where its attention goes">
        <Picture pixels={images.pixels.get(index)} width={images.width} height={images.height} label="" />
        <span className="sr">Image {index}:</span>
        <Predicted ranked={ranked} />
        <span className="see-foot">
          <Verdict right={said === actual} actual={names[actual]!} />
          {other !== null && (
            <span>
              {cutLabel}: {names[other]} {formatPercent(cut!.probability[index * best]!, 0)}
            </span>
          )}
        </span>
      </button>
    </li>
  );
}
