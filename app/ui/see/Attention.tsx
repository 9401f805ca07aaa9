import { useMemo, useState } from 'react';
import { topClasses, type Inspection, type Look } from '../../protocol/inspection';
import { invertPicture } from '../../store/actions';
import { useStore, type SeeSource } from '../../store/store';
import { DataTable } from '../charts/DataTable';
import { formatFixed, formatPercent } from '../charts/format';
import { Segmented } from '../charts/Segmented';
import { attentionMaps, overlap, type AttentionMap } from './attention';
import { AttentionMaps, columnName, type MapPlace } from './AttentionMaps';
import { CutSlider } from './CutSlider';
import { LitPicture } from './LitPicture';
import { pictureOf } from './paint';
import { Picture } from './Picture';
import { Predicted, Verdict } from './Predicted';

const SCALES = [
  { value: 'own', label: 'Own scale' },
  { value: 'one', label: 'One scale' },
] as const;

interface AttentionProps {
  readonly source: SeeSource;
  readonly inspection: Inspection;
  readonly names: readonly string[];
  readonly cutLabel: string;
}

/** One image: what the whole and the truncated model say of it, and what they attend to. */
export function Attention({ source, inspection, names, cutLabel }: AttentionProps) {
  const { shape, full, cut, count, pixels, labels, inverted } = inspection;
  const [scale, setScale] = useState<'own' | 'one'>('own');
  const [chosen, setChosen] = useState<MapPlace | null>(null);
  const grey = useStore((s) => (s.running ? s.loaded[s.running.dataset]?.channels === 1 : false));
  const maps = useMemo(() => attentionMaps(full, shape, count, 0), [full, shape, count]);
  const cutMaps = useMemo(() => cut && attentionMaps(cut, shape, count, 0), [cut, shape, count]);
  const picture = useMemo(() => pixels && pictureOf(pixels.images[0]!, pixels.width, pixels.height), [pixels]);
  if (!pixels || !picture) return null;
  const selected: MapPlace = {
    layer: Math.min(chosen?.layer ?? Infinity, shape.layers - 1),
    column: Math.min(chosen?.column ?? shape.heads, maps[0]!.length - 1),
  };
  const everywhere = Math.max(...[...maps, ...(cutMaps ?? [])].flat().map((map) => map.largest));
  const largest = scale === 'one' ? everywhere : undefined;
  const rolled = selected.column > shape.heads;
  const at = (all: readonly (readonly AttentionMap[])[]) => all[selected.layer]![selected.column]!;
  const rank = (look: Look) => topClasses(look.logits).map((best) => ({ ...best, name: names[best.class]! }));
  const said = rank(full);
  const cutSaid = cut && rank(cut);
  const label = labels?.[0];
  const where = rolled
    ? selected.layer === 0
      ? 'layer 0, with what passes beside it'
      : `layers 0 to ${selected.layer} together`
    : `layer ${selected.layer}, ${columnName(selected.column, shape.heads).toLowerCase()}${selected.column < shape.heads ? '' : ' of its heads'}`;
  const whose = shape.query === 'class' ? 'the class token' : 'the patch tokens, on average';
  return (
    <>
      <div className="see-trio">
        <figure>
          <figcaption>{source.kind === 'test' ? `Test image ${source.index}` : source.name}</figcaption>
          <Picture pixels={pixels.images[0]} width={pixels.width} height={pixels.height} label="The image as the model gets it" />
          {label !== undefined ? (
            <p>
              It is: <b>{names[label]}</b>
            </p>
          ) : (
            <p>
              Its centre, at {pixels.width} × {pixels.height} pixels
              {grey && (
                <label className="see-invert">
                  <input type="checkbox" checked={inverted} onChange={(event) => invertPicture(event.currentTarget.checked)} />
                  negative
                </label>
              )}
            </p>
          )}
        </figure>
        <figure>
          <figcaption>Whole model</figcaption>
          <LitPicture picture={picture} map={at(maps)} largest={largest} label={`Attention of ${where}`} />
          <Predicted ranked={said} />
          {label !== undefined && <Verdict right={said[0]!.class === label} actual={names[label]!} />}
        </figure>
        {cutMaps && cutSaid && (
          <figure>
            <figcaption>{cutLabel}</figcaption>
            <LitPicture picture={picture} map={at(cutMaps)} largest={largest} label={`Attention of ${where}, truncated`} />
            <Predicted ranked={cutSaid} />
            {label !== undefined && <Verdict right={cutSaid[0]!.class === label} actual={names[label]!} />}
            <CutSlider />
          </figure>
        )}
      </div>
      <p className="see-say" role="status">
        {rolled ? 'Attention rollout' : 'Attention'} of {whose} in {where}: the patch left bare gets {formatPercent(at(maps).largest)}
        {cutMaps && <> ({formatPercent(at(cutMaps).largest)} truncated)</>}; spread evenly it would be {formatPercent(1 / shape.tokens)}.
        {rolled &&
          ' Each layer counts half for the mean of its heads and half for what passes beside it, multiplied (Abnar and Zuidema, 2020).'}
        {cutMaps && cutSaid && (
          <>
            {' '}
            Both say {said[0]!.class === cutSaid[0]!.class ? 'the same' : 'something else'}; their attention overlaps by{' '}
            <b>{formatPercent(overlap(at(maps), at(cutMaps)), 0)}</b>.
          </>
        )}
      </p>
      <div className="see-bar">
        <h3>Every layer and head</h3>
        <Segmented label="Brightness" options={SCALES} value={scale} onChange={setScale} />
        <span className="chart-grow" />
        <small>
          {largest === undefined ? 'covered: none, bare: the map’s own largest' : `covered: none, bare: ${formatPercent(largest)} a patch`}
        </small>
        <DataTable title="Attention" caption={`of ${whose}`} rows={() => tableOf(maps, cutMaps, shape.heads)} />
      </div>
      {full.rollout === null && (
        <p className="see-none">With {shape.tokens} tokens, their weights are too many to multiply over the layers: there is no rollout.</p>
      )}
      <div className="see-both">
        <AttentionMaps
          title="Whole model"
          maps={maps}
          heads={shape.heads}
          picture={picture}
          largest={largest}
          selected={selected}
          onSelect={setChosen}
        />
        {cutMaps && (
          <AttentionMaps
            title={cutLabel}
            maps={cutMaps}
            heads={shape.heads}
            picture={picture}
            largest={largest}
            selected={selected}
            onSelect={setChosen}
          />
        )}
      </div>
    </>
  );
}

function tableOf(maps: AttentionMap[][], cutMaps: AttentionMap[][] | null, heads: number) {
  const figures = (map: AttentionMap) => [formatPercent(map.largest), formatFixed(map.spread, 1), formatPercent(map.toClass)];
  const head = ['Largest patch', 'Patches attended to, e^H', 'To the class token'];
  return {
    head: ['Layer and head', ...head, ...(cutMaps ? head.map((name) => `${name}, truncated`) : []), ...(cutMaps ? ['Overlap'] : [])],
    body: maps.flatMap((row, l) =>
      row.map((map, c) => {
        const other = cutMaps?.[l]?.[c];
        return [
          `Layer ${l}, ${columnName(c, heads).toLowerCase()}`,
          ...figures(map),
          ...(other ? [...figures(other), formatPercent(overlap(map, other))] : []),
        ];
      }),
    ),
  };
}
