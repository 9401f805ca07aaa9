import { useState } from 'react';
import type { CheckpointInfo, PretrainedOptions } from '../../protocol/checkpoint';
import { attempt, discard, fetchTensors, forgetOrigin, loadTensorFile, resume, saveCheckpointFile, saveWeights } from '../../store/actions';
import { useStore } from '../../store/store';
import { FileButton } from '../controls/FileButton';
import { Menu } from '../controls/Menu';
import { ago, bytes, parseNumber, text, whole } from '../format';
import { Icon } from '../icons';
import { runName, useMinute } from './KeptNotes';

/** Runs and weights: to a file, from a file or the web, and those that this browser keeps. */
export function WeightsMenu() {
  const [address, setAddress] = useState('');
  const [heads, setHeads] = useState('');
  return (
    <Menu
      className="btn"
      label="Weights"
      title="Checkpoints and weights"
      align="end"
      button={
        <>
          <Icon name="weights" />
          <span className="hide-m">Weights</span>
        </>
      }
    >
      {(close) => {
        const n = parseNumber(heads);
        const options: PretrainedOptions = Number.isInteger(n) && n > 0 ? { numHeads: n } : {};
        return (
          <div className="menu-list weights">
            <Save close={close} />
            <hr />
            <Load close={close} options={options} />
            <form
              className="from-web"
              onSubmit={(event) => {
                event.preventDefault();
                close();
                attempt(fetchTensors(address, options));
              }}
            >
              <label>
                Or from the web
                <input
                  className="val"
                  type="url"
                  required
                  placeholder="https://…/model.safetensors"
                  value={address}
                  onChange={(event) => setAddress(event.currentTarget.value)}
                />
              </label>
              <label title="No tensor shows the number of attention heads. Empty: as the file says, else width / 64.">
                Heads
                <input
                  className="val"
                  inputMode="numeric"
                  placeholder="auto"
                  value={heads}
                  aria-invalid={heads.trim() !== '' && options.numHeads === undefined}
                  onChange={(event) => setHeads(event.currentTarget.value)}
                />
              </label>
              <button type="submit" className="btn line sm">
                Load
              </button>
            </form>
            <Origin close={close} />
            <Kept close={close} />
          </div>
        );
      }}
    </Menu>
  );
}

function Save({ close }: { close: () => void }) {
  const ready = useStore((s) => s.running !== null && s.device !== null && !s.replay);
  const none = useStore((s) => (s.replay ? 'A recording holds no weights.' : 'There is none before a run starts.'));
  const save = (how: () => Promise<void>) => {
    close();
    attempt(how());
  };
  return (
    <>
      <button type="button" disabled={!ready} onClick={() => save(saveCheckpointFile)}>
        <b>Save checkpoint</b>
        <span>{ready ? 'The whole run in one file, to go on with later, here or elsewhere.' : none}</span>
      </button>
      <button type="button" disabled={!ready} onClick={() => save(saveWeights)}>
        <b>Save weights</b>
        <span>{ready ? 'A safetensors file with timm’s names, for PyTorch.' : none}</span>
      </button>
    </>
  );
}

function Load({ close, options }: { close: () => void; options: PretrainedOptions }) {
  const device = useStore((s) => s.device !== null);
  return (
    <FileButton
      className=""
      accept=".safetensors"
      disabled={!device}
      onFiles={(files) => {
        close();
        if (files[0]) attempt(loadTensorFile(files[0], options));
      }}
    >
      <b>Load checkpoint or weights…</b>
      <span>A checkpoint, weights of this page, or a pretrained ViT in timm’s layout (.safetensors).</span>
    </FileButton>
  );
}

function Origin({ close }: { close: () => void }) {
  const origin = useStore((s) => s.origin);
  if (!origin) return null;
  return (
    <button
      type="button"
      onClick={() => {
        close();
        attempt(forgetOrigin());
      }}
    >
      <b>Start from random weights again</b>
      <span>
        Now new runs of {origin.model} start from {origin.name}.
      </span>
    </button>
  );
}

function Kept({ close }: { close: () => void }) {
  const kept = useStore((s) => s.kept);
  const now = useMinute();
  if (kept.length === 0) return null;
  return (
    <section className="kept" aria-labelledby="kept-runs">
      <h2 id="kept-runs">Kept in this browser</h2>
      <ul>
        {kept.map((info) => (
          <KeptRun key={info.key} info={info} now={now} close={close} />
        ))}
      </ul>
    </section>
  );
}

function KeptRun({ info, now, close }: { info: CheckpointInfo; now: number; close: () => void }) {
  const { experiment, step, accuracy, kind, date, open, key } = info;
  const ready = useStore((s) => s.device !== null);
  const name = runName(experiment);
  return (
    <li>
      <button
        type="button"
        disabled={open || !ready}
        onClick={() => {
          close();
          attempt(resume(key));
        }}
      >
        <b>
          {name}
          {kind === 'best' && <small>best</small>}
        </b>
        <span>
          Step {whole(step)} of {whole(experiment.train.steps)}
          {accuracy !== null && `, ${(100 * accuracy).toFixed(1)} %`}, {open ? 'open in another tab' : ago(now - date)},{' '}
          {text(bytes(info.bytes))}
        </span>
      </button>
      <button
        type="button"
        className="btn icon"
        disabled={open}
        aria-label={`Discard ${name}, step ${step}${kind === 'best' ? ', best' : ''}`}
        title="Discard"
        onClick={() => {
          close();
          discard(key);
        }}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}
