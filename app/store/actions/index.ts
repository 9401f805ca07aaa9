/** Everything a visitor or a script can do. The buttons and `window.q3r` call the same functions. */
export { engine, useWorker } from './engine';
export * from './command';
export * from './data';
export * from './form';
export * from './kept';
export { guard, isLocked } from './locks';
export * from './page';
export * from './run';
export * from './truncation';
export * from './view';
export * from './weights';
export * from './overrides';
