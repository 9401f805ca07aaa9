/** A newer version of the page: none known; here and waiting to be taken over; or already taken over in another tab. */
export type PageUpdate = 'none' | 'waiting' | 'elsewhere';

/** The page as the browser keeps it. */
export interface OfflineSlice {
  pageUpdate: PageUpdate;
  /** The page is being kept for use without a network. */
  keepsPage: boolean;
}

export const offlineSlice = (): OfflineSlice => ({ pageUpdate: 'none', keepsPage: false });
