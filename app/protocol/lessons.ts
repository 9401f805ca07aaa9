/** Lessons by the name that a link gives them, in their order, with what each is about. */
export const LESSONS = [
  { name: 'rank', title: 'What rank is', about: 'A picture as a matrix, and how few singular values it takes to draw it.', minutes: 6 },
  { name: 'waste', title: 'Why networks waste rank', about: 'Train without a regularizer, look at the tail, and cut it off.', minutes: 6 },
  {
    name: 'lambda',
    title: 'What λ, ε and the target rank do',
    about: 'Turn each of the three in a running run, and watch the spectra.',
    minutes: 8,
  },
  {
    name: 'truncate',
    title: 'Truncate and compare',
    about: 'Dense against AdamQ3R from the same start: what is left after the cut?',
    minutes: 8,
  },
] as const;
export type LessonName = (typeof LESSONS)[number]['name'];
export const isLesson = (name: string): name is LessonName => LESSONS.some((lesson) => lesson.name === name);
