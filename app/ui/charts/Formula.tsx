import { createElement, memo, type ReactNode } from 'react';

interface FormulaProps {
  /**
   * The formula: single letters are variables, \words functions and upright names, `_` and `^` take one atom or a {group},
   * \frac{}{}, \sqrt{}, \hat{} and \cases{a & if; b & else} what they say, "text" words. ε has its own colour.
   */
  children: string;
  /** The same in words, for those who hear the page and for browsers without MathML. */
  say: string;
}

/** A formula, drawn as MathML and said in words: how well MathML is read aloud differs too much between browsers. */
export const Formula = memo(function Formula({ children, say }: FormulaProps) {
  return (
    <span className="formula">
      <math aria-hidden="true">{parseFormula(children)}</math>
      <span className="sr">{say}</span>
    </span>
  );
});

const TOKEN = /\s+|\\[A-Za-z]+|"[^"]*"|\d+(?:[.\u2009]\d+)*|./gu;
const NO_STRETCH = new Set(['(', ')', '[', ']', '|', '‖', '⟨', '⟩', '/']);
const STRUCTURE = new Set(['\\frac', '\\sqrt', '\\hat', '\\cases', '\\qquad']);
const isName = (token: string): boolean => token.startsWith('\\') && !STRUCTURE.has(token);
const THIN = <mspace width=".17em" />;
const LETTER = /^\p{L}$/u;

/** A tiny reader of formulas; throws Error for one that is not closed, which a test of all formulas finds. */
export function parseFormula(text: string): ReactNode {
  const tokens = (text.match(TOKEN) ?? []).filter((token) => token.trim() !== '');
  let at = 0;
  const fail = (what: string) => new Error(`formula "${text}": ${what}`);

  function group(): ReactNode {
    if (tokens[at] !== '{') return atom();
    at++;
    const inner = row(['}']);
    if (tokens[at++] !== '}') throw fail('a { is not closed');
    return inner;
  }
  function row(ends: readonly string[]): ReactNode {
    const out: ReactNode[] = [];
    while (at < tokens.length && !ends.includes(tokens[at]!)) {
      const named = isName(tokens[at]!);
      // A name stands off from a variable or a number before it, and from its argument where that has no parentheses.
      if (named && out.length > 0 && /^[\p{L}\d})]/u.test(tokens[at - 1]!)) out.push(THIN);
      out.push(scripted());
      if (named && at < tokens.length && /^[\\\p{L}]/u.test(tokens[at]!)) out.push(THIN);
    }
    return createElement('mrow', null, ...out);
  }
  function scripted(): ReactNode {
    const big = tokens[at] === '∑' || tokens[at] === '\\min';
    const base = atom();
    let sub: ReactNode;
    let sup: ReactNode;
    while (tokens[at] === '_' || tokens[at] === '^') {
      if (tokens[at++] === '_') sub = group();
      else sup = group();
    }
    if (sub === undefined && sup === undefined) return base;
    if (sup === undefined)
      return big ? (
        <munder>
          {base}
          {sub}
        </munder>
      ) : (
        <msub>
          {base}
          {sub}
        </msub>
      );
    if (sub === undefined)
      return (
        <msup>
          {base}
          {sup}
        </msup>
      );
    return createElement(big ? 'munderover' : 'msubsup', null, base, sub, sup);
  }
  function atom(): ReactNode {
    const token = tokens[at++];
    if (token === undefined) throw fail('something is missing at its end');
    if (token === '{') {
      at--;
      return group();
    }
    if (token.startsWith('"')) return <mtext>{token.slice(1, -1).replaceAll(' ', '\u00a0')}</mtext>;
    if (token.startsWith('\\')) return command(token.slice(1));
    if (/^\d/.test(token)) return <mn>{token}</mn>;
    if (LETTER.test(token)) return <mi className={token === 'ε' ? 'epsilon' : undefined}>{token}</mi>;
    if (token === '}' || token === '_' || token === '^') throw fail(`an unexpected ${token}`);
    return <mo stretchy={NO_STRETCH.has(token) ? 'false' : undefined}>{token}</mo>;
  }
  function command(name: string): ReactNode {
    switch (name) {
      case 'frac': {
        const top = group();
        return (
          <mfrac>
            {top}
            {group()}
          </mfrac>
        );
      }
      case 'sqrt':
        return <msqrt>{group()}</msqrt>;
      case 'hat':
        return (
          <mover accent="true">
            {group()}
            <mo stretchy="false">ˆ</mo>
          </mover>
        );
      case 'cases':
        return cases();
      case 'qquad':
        return <mspace width="1.2em" />;
      default:
        // Upright, as several letters are.
        return <mi>{name}</mi>;
    }
  }
  function cases(): ReactNode {
    if (tokens[at++] !== '{') throw fail('\\cases has no {');
    const rows: ReactNode[][] = [[]];
    for (;;) {
      rows.at(-1)!.push(row(['&', ';', '}']));
      const end = tokens[at++];
      if (end === ';') rows.push([]);
      else if (end === undefined) throw fail('\\cases is not closed');
      else if (end === '}') break;
    }
    return (
      <mrow>
        <mo form="prefix">{'{'}</mo>
        <mtable columnalign="left">
          {rows.map((cells, i) => (
            <mtr key={i}>
              {cells.map((cell, j) => (
                <mtd key={j}>{cell}</mtd>
              ))}
            </mtr>
          ))}
        </mtable>
      </mrow>
    );
  }
  return row([]);
}
