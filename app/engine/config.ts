/** Field descriptions: pure data from which the form, the schema, the share link and the documentation are made. */

interface FieldBase {
  /** Path inside its section, also the key of the share link. */
  readonly key: string;
  readonly label: string;
  /** One line: what it does and why one would change it. */
  readonly why: string;
  readonly unit?: string;
  /** May change while a run goes on; any other change starts a new run. */
  readonly live?: boolean;
}

export interface NumberField extends FieldBase {
  readonly kind: 'int' | 'float';
  readonly default: number;
  /** Hard bounds, inclusive: a value outside is refused. */
  readonly min: number;
  readonly max: number;
  /** The range and spacing of the slider, where it is narrower than the bounds. */
  readonly slider: { readonly min: number; readonly max: number; readonly scale: 'linear' | 'log'; readonly step?: number };
}

export interface ChoiceField extends FieldBase {
  readonly kind: 'choice';
  readonly default: string;
  readonly options: readonly { readonly value: string; readonly label: string; readonly why?: string }[];
  /** There are kept experiments from before the field: one that leaves it out has its default. */
  readonly later?: true;
}

export interface FlagField extends FieldBase {
  readonly kind: 'flag';
  readonly default: boolean;
  /** As of a choice. */
  readonly later?: true;
}

export interface SetField extends FieldBase {
  readonly kind: 'set';
  readonly default: readonly string[];
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

export type Field = NumberField | ChoiceField | FlagField | SetField;

/** A closed group of the form. `section` is the key of the experiment it fills. */
export interface FieldGroup {
  readonly section: 'model' | 'train' | 'method';
  readonly title: string;
  readonly fields: readonly Field[];
}
