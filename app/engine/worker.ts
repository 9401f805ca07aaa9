import type { Command, ErrorReply, Event } from '../protocol/messages';
import { ConfigError } from '../protocol/experiment';
import { DataError } from './data/types';
import { faultOf } from './train/events';
import { Session } from './train/session';

/** The training worker: commands in, events out. Owns the GPU; knows nothing of the page. */

const scope = globalThis as unknown as { postMessage(message: Event, transfer: Transferable[]): void };

function post(event: Event, transfer: Transferable[] = []): void {
  scope.postMessage(event, transfer);
}

const session = new Session((event) => post(event));

function run(command: Command): unknown {
  switch (command.type) {
    case 'init':
      return session.init(command.baseUrl, command.keep);
    case 'plan':
      return session.plan(command.experiment);
    case 'warm':
      return session.warm(command.experiment);
    case 'configure':
      return session.configure(command.experiment);
    case 'start':
      return session.start(command.steps);
    case 'pause':
      return session.pause();
    case 'step':
      return session.step(command.count, command.turn);
    case 'reset':
      return session.reset(command.seed);
    case 'history':
      return session.history();
    case 'evaluate':
      return session.evaluate();
    case 'spectra':
      return session.spectra();
    case 'exportWeights':
      return session.weights.exportWeights();
    case 'importWeights':
      return session.weights.importWeights(command.bytes);
    case 'gradients':
      return session.weights.gradients(command.batch);
    case 'trainOn':
      return session.weights.trainOn(command.batch);
    case 'predict':
      return session.weights.predict(command.images, command.cut);
    case 'truncate':
      return session.weights.truncate(command);
    case 'exportFactored':
      return session.weights.exportFactored(command.cut);
    case 'survey':
      return session.inspection.survey(command);
    case 'inspect':
      return session.inspection.inspect(command);
    case 'testImages':
      return session.inspection.testImages(command.indices);
    case 'svd':
      return session.linalg.svd(command.matrix, command.options);
    case 'q3r':
      return session.linalg.q3r(command.matrix, command.options);
    case 'matmul':
      return session.linalg.matmul(command.a, command.b, command.transA, command.transB);
    case 'hoyer':
      return session.linalg.hoyer(command.matrix, command.square);
    case 'lorita':
      return session.linalg.lorita(command.options);
    case 'lora':
      return session.linalg.lora(command.options);
    case 'saveCheckpoint':
      return session.checkpoints.save();
    case 'loadTensors':
      return session.checkpoints.load(command.bytes, command);
    case 'fetchTensors':
      return session.checkpoints.fetch(command.url, command);
    case 'cancelTensors':
      return session.checkpoints.cancel();
    case 'forgetOrigin':
      return session.checkpoints.forgetOrigin();
    case 'checkpoints':
      return session.checkpoints.list();
    case 'resume':
      return session.checkpoints.resume(command.key);
    case 'deleteCheckpoint':
      return session.checkpoints.remove(command.key);
    case 'loadDataset':
      return session.data.load(command.name, command.refresh);
    case 'loadFiles':
      return session.data.loadFiles(command);
    case 'cancelLoad':
      return session.data.cancel();
    case 'samples':
      return session.data.samples(command.name, command.count);
    case 'preview':
      return session.data.preview(command);
    case 'roofline':
      return session.roofline.measure(command);
    case 'cancelRoofline':
      return session.roofline.cancel();
    case 'rollback':
      return session.rollback(command.lr);
    case 'view':
      return session.view(command.smoothing);
    case 'memory':
      return session.memory();
    case 'provoke':
      return session.provoke(command.fault);
  }
}

/** Errors that the page explains as a fault of the engine; all others are answers to a wrong question. */
function errorReply(error: unknown): ErrorReply {
  if (error instanceof ConfigError) return { name: error.name, message: error.message, field: error.field };
  if (error instanceof DataError)
    return { name: error.kind === 'cancelled' ? 'AbortError' : error.name, message: `${error.message} ${error.nextStep}`.trim() };
  const fault = faultOf(error);
  if (fault.kind !== 'internal') return { name: error instanceof Error ? error.name : 'Error', message: fault.message, fault };
  return { name: error instanceof Error ? error.name : 'Error', message: error instanceof Error ? error.message : String(error) };
}

async function answer(command: Command): Promise<void> {
  try {
    const value = await run(command);
    post({ type: 'reply', id: command.id, ok: true, value }, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []);
  } catch (error) {
    const reply = errorReply(error);
    if (reply.fault) post({ type: 'fault', fault: reply.fault });
    post({ type: 'reply', id: command.id, ok: false, error: reply });
  }
}

addEventListener('message', (event: MessageEvent<Command>) => void answer(event.data));
