import { expect, test, type Page } from '@playwright/test';
import { expectAccessible } from '../support/accessible';
import { watchConsole } from '../support/page';

/** Guesses, runs and reveals every step of the open lesson, to its end; returns what was revealed. */
async function walk(page: Page): Promise<string[]> {
  const told: string[] = [];
  for (;;) {
    await page.locator('.lesson-guesses input').first().check();
    await page.locator('.lesson-foot .btn.primary').click();
    const next = page.locator('.lesson-foot').getByRole('button', { name: /^(Next step|Next lesson|To the lessons)/ });
    await expect(next).toBeVisible({ timeout: 120_000 });
    told.push(await page.locator('.lesson-phases + h2 + p').innerText());
    if (!(await next.innerText()).startsWith('Next step')) return told;
    await next.click();
  }
}

// All of them are walked by `LESSONS=rank,waste,lambda,truncate npm run test:e2e -- lessons`; one is enough every time.
const names = (process.env.LESSONS ?? 'truncate').split(',');
for (const name of names)
  test(`the lesson "${name}" goes to its end on what its own run does`, async ({ page }) => {
    test.setTimeout(600_000);
    const watch = watchConsole(page);
    await page.goto(`#lesson=${name}`);
    await expect(page.locator('#lesson-question')).toBeVisible({ timeout: 60_000 });
    await expectAccessible(page);
    const told = await walk(page);
    expect(told.length).toBeGreaterThan(2);
    for (const text of told) expect(text).not.toMatch(/NaN|undefined|Infinity/);
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 780 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    // What a lesson leads to may have a long title; what does not fit is cut, not scrolled to.
    const { x, width } = (await page.locator('.lesson-foot .btn.primary').boundingBox())!;
    expect(x + width).toBeLessThanOrEqual(360);
    watch.expectQuiet();
  });
