/** Commands of the reference implementation: read as experiments, and experiments written as such commands. */
export { parseCommandLine, type ParsedCommand } from './commandLine/read';
export { toCommandLine, type WrittenCommand } from './commandLine/write';
export { MAX_COMMAND, type CommandProblem } from './commandLine/words';
export { isCommandLine } from './commandLine/words';
