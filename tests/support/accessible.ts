import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/**
 * Fails with what axe finds in the page, or in the element of a selector: everything in the light theme, and the colours, which are all
 * that a theme changes, in the dark one. `themes` leaves the dark one out where another check of the same view has it.
 */
export async function expectAccessible(
  page: Page,
  within?: string,
  themes: readonly ('light' | 'dark')[] = ['light', 'dark'],
): Promise<void> {
  for (const colorScheme of themes) {
    // Without motion, so that no colour is on its way.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const axe = new AxeBuilder({ page }).options({
      // Most of the time goes into telling what is right.
      resultTypes: ['violations'],
      ...(colorScheme === 'dark' && { runOnly: { type: 'rule' as const, values: ['color-contrast'] } }),
    });
    if (within) axe.include(within);
    // Within the page: it has no frames, whose results would be put together in a page of their own.
    const { violations } = await axe.setLegacyMode().analyze();
    expect(violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  }
}
