import { choiceName } from '../../protocol/settings';

/** The technique as the form names it. */
export const methodName = (name: string): string => choiceName('method.name', name);
