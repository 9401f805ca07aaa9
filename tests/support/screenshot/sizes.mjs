/** The three sizes that every view is judged at; a finger points on the smallest. */
export const SIZES = {
  1440: { width: 1440, height: 900, touch: false },
  1024: { width: 1024, height: 768, touch: false },
  390: { width: 390, height: 844, touch: true },
};

export const THEMES = ['light', 'dark'];
