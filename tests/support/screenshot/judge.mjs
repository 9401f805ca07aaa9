/**
 * What a picture hides and a rule can see: sideways scroll, text that is cut off, controls too small for a finger or beyond the edge.
 * @param {import('playwright').Page} page
 * @returns {Promise<string[]>} one line each
 */
export const judge = (page) =>
  page.evaluate(() => {
    const found = [];
    const { document, innerWidth, innerHeight, matchMedia, getComputedStyle } = window;
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) found.push(`scrolls sideways by ${wide} px`);
    const top = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
    const name = (element) => `${element.tagName.toLowerCase()}.${[...element.classList].join('.')}`;
    const said = (element) => (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40);
    for (const element of top.querySelectorAll('*')) {
      const { overflowX, textOverflow, visibility } = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      if (visibility === 'hidden' || box.width < 4 || box.height < 4 || box.top > innerHeight || box.bottom < 0) continue;
      const over = element.scrollWidth - element.clientWidth;
      if (over > 1 && textOverflow === 'ellipsis') found.push(`cut: ${name(element)} "${said(element)}" by ${over} px`);
      else if (over > 1 && ['auto', 'scroll'].includes(overflowX)) found.push(`own sideways scroll: ${name(element)} by ${over} px`);
      const control = element.matches('button, a[href], select, input:not([type=radio], [type=checkbox], [type=range], [type=file])');
      if (control && matchMedia('(pointer: coarse)').matches && Math.min(box.width, box.height) < 24 && !element.matches('p a, p button'))
        found.push(`small: ${name(element)} "${said(element)}" ${Math.round(box.width)} × ${Math.round(box.height)}`);
      if (control && (box.right > innerWidth + 1 || box.left < -1)) found.push(`beyond the edge: ${name(element)} "${said(element)}"`);
    }
    return [...new Set(found)];
  });
