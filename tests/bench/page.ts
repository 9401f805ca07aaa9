import type { Row, Section } from './section';

const modules = import.meta.glob<Section>('./sections/*.ts');
const nameOf = (path: string): string => path.replace(/^.*\/|\.ts$/g, '');

export interface Bench {
  readonly names: readonly string[];
  /** `name`, or `name:argument`. */
  run(wanted: string): Promise<{ title: string; note: string; rows: Row[] }>;
}

const bench: Bench = {
  names: Object.keys(modules).map(nameOf).sort(),
  async run(wanted) {
    const [name, argument] = wanted.split(':');
    const load = Object.entries(modules).find(([path]) => nameOf(path) === name)?.[1];
    if (!load) throw new Error(`there is no section ${name}`);
    const section = await load();
    return { title: section.title, note: section.note ?? '', rows: await section.run(argument) };
  },
};

declare global {
  interface Window {
    bench: Bench;
  }
}
window.bench = bench;
