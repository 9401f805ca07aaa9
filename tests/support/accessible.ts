import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** Fails with what axe finds in the page, or in the element of a selector: everything in the light theme, the colours in the dark one. */
export async function expectAccessible(page: Page, within?: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // Without motion, so that no colour is on its way.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const axe = within ? new AxeBuilder({ page }).include(within) : new AxeBuilder({ page });
    // A theme changes nothing but colours.
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules(['color-contrast'])).analyze();
    expect(violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  }
}
