import { create } from 'zustand';

export type CompareTab = 'ab' | 'grid';

/** What the comparing screen shows. */
export const useCompare = create<{ tab: CompareTab }>()(() => ({ tab: 'ab' }));
export const showCompareTab = (tab: CompareTab): void => useCompare.setState({ tab });
