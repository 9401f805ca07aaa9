import type { HTMLAttributes, DetailedHTMLProps } from 'react';

type MathElement = DetailedHTMLProps<
  HTMLAttributes<MathMLElement> & {
    width?: string;
    mathvariant?: string;
    display?: string;
    stretchy?: string;
    accent?: string;
    form?: string;
    columnalign?: string;
  },
  MathMLElement
>;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      math: MathElement;
      mi: MathElement;
      mo: MathElement;
      mn: MathElement;
      mrow: MathElement;
      mspace: MathElement;
      msub: MathElement;
      msup: MathElement;
      munder: MathElement;
      mover: MathElement;
      mfrac: MathElement;
      msqrt: MathElement;
      mtext: MathElement;
      mtable: MathElement;
      mtr: MathElement;
      mtd: MathElement;
    }
  }
}
