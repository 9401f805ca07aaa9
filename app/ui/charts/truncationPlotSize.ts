/** Pixels above and below the plot of truncated models: the chart and what lies over it agree on them. */
export const PLOT = { top: 6, bottom: 4 } as const;
