/** Everything a visitor or a script can do. The buttons and `window.q3r` call the same functions. */
export { engine, useWorker } from './engine';
export * from './command';
export * from './compare';
export * from './data';
export * from './form';
export * from './kept';
export { guard, isLocked } from './locks';
export { leaveReplay, requireLive } from './leaveReplay';
export * from './page';
export * from './replay';
export * from './run';
export * from './see';
export * from './timeline';
export * from './shareRun';
export * from './truncation';
export * from './view';
export * from './weights';
export * from './overrides';
