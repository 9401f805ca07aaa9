const NAMES = ['rank', 'waste', 'lambda', 'truncate'];

/** The step of each lesson that shows most. */
const STEP = { rank: 2, waste: 1, lambda: 1, truncate: 2 };

/** The list of lessons, and of each a question, its run and what came of it. */
export const lessons = {
  name: 'lessons',
  shots: [
    'lessons',
    ...NAMES.flatMap((name) => ['predict', 'run', 'reveal'].map((phase) => `lesson-${name}-${phase}`)),
    'lesson-projector',
  ],
  async run({ open, shot, wants }) {
    for (const name of NAMES) {
      const phases = ['predict', 'run', 'reveal'].map((phase) => `lesson-${name}-${phase}`);
      if (!wants(...phases, ...(name === 'lambda' ? ['lesson-projector'] : []))) continue;
      const page = await open(`#v=1&lesson=${name}`, { ready: false });
      await page.locator('#lesson-question').waitFor({ timeout: 60_000 });
      const foot = page.locator('.lesson-foot');
      for (let step = 0; step <= STEP[name]; step++) {
        await page.locator('.lesson-guesses input').first().check();
        const shown = step === STEP[name];
        if (shown) await shot(`lesson-${name}-predict`, page);
        await page.locator('.lesson-foot .btn.primary').click();
        const next = foot.getByRole('button', { name: /^(Next step|Next lesson|To the lessons)/ });
        if (shown && !(await next.isVisible())) {
          await page.waitForTimeout(400);
          // A run may end before all sizes are taken; what is left of them shows its end.
          await shot(`lesson-${name}-run`, page);
        }
        await next.waitFor({ timeout: 10 * 60_000 });
        if (!shown) await next.click();
      }
      await shot(`lesson-${name}-reveal`, page);
      if (name === 'lambda') {
        await page.getByRole('button', { name: 'Projector' }).click();
        await shot('lesson-projector', page, { sizes: ['1440', '1024'] });
        await page.getByRole('button', { name: 'Projector' }).click();
      }
    }
    if (!wants('lessons')) return;
    const list = await open('');
    await list.getByRole('button', { name: 'Lessons' }).click();
    await list.getByRole('heading', { name: 'Lessons' }).waitFor();
    await shot('lessons', list);
  },
};
