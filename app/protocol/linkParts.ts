/** What a link says beside an experiment. */
export interface LinkParts {
  /** The rest of the hash: the experiment's keys. */
  readonly experiment: string;
  /** Name or address of a recording. */
  readonly replay?: string;
  /** Packed results of the experiment, see run/resultsLink.ts. */
  readonly results?: string;
  /** The page is a frame in another one. */
  readonly embed: boolean;
  /** The parts that speak of comparing, `compare=…` among them, see compareLink.ts; absent where the link compares nothing. */
  readonly compare?: readonly string[];
}

/** Takes a link or its hash apart. */
export function linkParts(link: string): LinkParts {
  const hash = link.includes('#') ? link.slice(link.indexOf('#') + 1) : link;
  const rest: string[] = [];
  const compares = /(^|&)compare=/.test(hash);
  const out: { replay?: string; results?: string; embed: boolean; compare?: string[] } = { embed: false };
  for (const part of hash.split('&')) {
    if (compares && /^(compare|across|up|seeds|b\.\w+)=/.test(part)) {
      (out.compare ??= []).push(part);
      continue;
    }
    const [, key, text = ''] = /^(replay|results|embed)=(.*)$/s.exec(part) ?? [];
    if (key === 'replay' && text !== '') out.replay = decoded(text);
    else if (key === 'results') out.results = text;
    else if (key === 'embed') out.embed = text === '1';
    else if (key === undefined) rest.push(part);
  }
  return { experiment: rest.join('&'), ...out };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The hash that opens a recording. */
export const replayHash = (source: string): string => `#replay=${encodeURIComponent(source).replace(/%(2F|3A)/g, decodeURIComponent)}`;
