import { PARTIAL } from './download';
import { removeFolder } from './storage';

/** Removes a data set, and what broken downloads left, from the browser's storage. Never fails. */
export async function forget(name: string): Promise<void> {
  await removeFolder(name);
  await removeFolder(PARTIAL);
}
