/** The sets that are published in files, by their names. */
export const PUBLISHED_NAMES = ['cifar10', 'cifar100', 'mnist'] as const;
export type PublishedName = (typeof PUBLISHED_NAMES)[number];
export const isPublished = (name: string): name is PublishedName => (PUBLISHED_NAMES as readonly string[]).includes(name);
