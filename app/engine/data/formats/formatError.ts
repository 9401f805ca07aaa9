/**
 * A file does not follow its format. Thrown by the decoders, which know neither the file's name nor what to do about it;
 * the loader adds both and makes a DataError of it.
 */
export class FormatError extends Error {
  constructor(
    readonly expected: string,
    readonly found: string,
    readonly nextStep?: string,
  ) {
    super(`expected ${expected}, found ${found}`);
    this.name = 'FormatError';
  }
}
