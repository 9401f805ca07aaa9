import type { Row, Section } from './section';

const modules = import.meta.glob<Section>('./sections/*.ts');
const nameOf = (path: string): string => path.replace(/^.*\/|\.ts$/g, '');

export interface Bench {
  readonly names: readonly string[];
  run(name: string): Promise<{ title: string; note: string; rows: Row[] }>;
}

const bench: Bench = {
  names: Object.keys(modules).map(nameOf).sort(),
  async run(name) {
    const load = Object.entries(modules).find(([path]) => nameOf(path) === name)?.[1];
    if (!load) throw new Error(`there is no section ${name}`);
    const section = await load();
    return { title: section.title, note: section.note ?? '', rows: await section.run() };
  },
};

declare global {
  interface Window {
    bench: Bench;
  }
}
window.bench = bench;
