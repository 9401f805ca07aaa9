import { FormatError } from './formats/formatError';
import { DataError, reasonOf } from './types';

/** Whatever was thrown while `file` was read, as a DataError that names it. */
export function asDataError(file: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  if (error instanceof FormatError) {
    return new DataError(file, error.expected, error.found, error.nextStep ?? 'Choose another file; the data set in use stays as it is.');
  }
  if (error instanceof DOMException && (error.name === 'NotReadableError' || error.name === 'NotFoundError')) {
    return new DataError(file, 'a readable file', 'that it was changed, moved or locked since it was chosen', 'Choose the file again.');
  }
  if (error instanceof RangeError && /alloc|array buffer|array length/i.test(error.message)) {
    return new DataError(file, 'enough memory for the images', reasonOf(error), 'Close other tabs and try again.');
  }
  return new DataError(file, 'a readable file', reasonOf(error), 'Choose another file; the data set in use stays as it is.');
}
