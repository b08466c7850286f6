/**
 * What an open MAT-file offers, whichever its version.
 *
 * `parts` goes through a variable once, from front to back, and gives the wanted parts one by one: memory holds one of
 * them. In an uncompressed variable, and in version 7.3, what is not wanted is jumped over; in a compressed one it is
 * inflated and dropped. So take the parts in the order of the file, and stop (`break`) after the last:
 *
 *     for await (const { path, value } of file.parts('DREAMER', ['DREAMER.Data{*}.ECG.stimuli{*}'])) …
 */
import { budgetOf } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { NumberType } from '../stored-numbers.ts';
import type { ForwardBytes } from './bytes.ts';
import { chooserOf, type MatChooser, type MatHeader, type MatSelect } from './select.ts';
import type { MatClass, MatValue } from './values.ts';

export interface MatVariable {
  readonly name: string;
  readonly class: MatClass;
  readonly shape: readonly number[];
  readonly isComplex: boolean;
}

export interface MatPart {
  readonly path: string;
  readonly value: MatValue;
  /** Where a `place` was asked for, and numbers can be taken from it: they have not been read, `value` is `skipped`. */
  readonly place?: MatPlace;
}

/** Numbers that lie one after the other, column by column: as float64 they are the values of the array. */
export interface MatPlace {
  readonly type: NumberType;
  readonly isBigEndian: boolean;
  /** Byte of the first in the file; undefined where they are compressed, see `MatFile.through`. */
  readonly start: number | undefined;
}

/** Takes numbers out of the bytes that come next, as many bytes as there are; what it leaves is passed over. */
export type TakeNumbers = (bytes: ForwardBytes, place: MatPlace) => Promise<void>;

export interface MatEntry extends MatHeader {
  readonly path: string;
}

export interface MatReadOptions {
  /** What to read of it; everything else becomes `skipped`. Default: all. */
  readonly select?: MatSelect;
}

export interface MatFile {
  readonly source: string;
  readonly version: '4' | '5' | '7.3';
  /** As they lie in the file; none of their data has been read. Names may repeat. */
  readonly variables: readonly MatVariable[];
  readonly log: readonly string[];
  /** The last variable of that name; FormatError where there is none. */
  read(name: string, options?: MatReadOptions): Promise<MatValue>;
  /** Wanted parts of a variable, in the file's order. */
  parts(name: string, select?: MatSelect): AsyncGenerator<MatPart, void>;
  /** Go through a variable to the places that `select` names, and have the numbers there taken as they come by. */
  through(name: string, select: MatSelect, take: TakeNumbers): Promise<void>;
  /** Path, class and shape of everything within a variable, its data passed over. */
  index(name: string): Promise<MatEntry[]>;
  close(): Promise<void>;
}

/**
 * How a version goes through variable number `i`; see MatFile.parts. `keep`: gather the parts for the value at the end.
 * `take`: what is placed is taken, see MatFile.through.
 */
export type WalkVariable = (
  i: number,
  choose: MatChooser,
  keep: boolean,
  take?: TakeNumbers,
) => AsyncGenerator<MatPart, MatValue>;

/** A MatFile from what a version knows. */
export function matFile(
  source: ByteSource,
  version: MatFile['version'],
  variables: readonly MatVariable[],
  log: readonly string[],
  walk: WalkVariable,
  close: () => Promise<void>,
): MatFile {
  const numberOf = (name: string): number => {
    const found = variables.findLastIndex((variable) => variable.name === name);
    if (found >= 0) return found;
    const some = variables.slice(0, 12).map((variable) => quoted(variable.name));
    throw new FormatError(
      `mat: ${source.name} has no variable ${quoted(name)}. It has ${some.join(', ') || 'none'}${variables.length > 12 ? ', …' : ''}.`,
      source.name,
    );
  };
  return {
    source: source.name,
    version,
    variables,
    log,
    async read(name, { select } = {}) {
      const steps = walk(numberOf(name), chooserOf(select), true);
      for (;;) {
        const { done, value } = await steps.next();
        if (done) return value;
      }
    },
    async *parts(name, select) {
      yield* walk(numberOf(name), chooserOf(select), false);
    },
    async through(name, select, take) {
      const steps = walk(numberOf(name), chooserOf(select), false, take);
      while (!(await steps.next()).done);
    },
    async index(name) {
      const entries: MatEntry[] = [];
      const list: MatChooser = (path, header) => {
        budgetOf(source).spend(`mat: ${source.name}`, 'cells and fields');
        entries.push({ path, ...header });
        return header.class === 'cell' || header.class === 'struct' ? 'inside' : 'skip';
      };
      const steps = walk(numberOf(name), list, false);
      while (!(await steps.next()).done);
      return entries;
    },
    close,
  };
}
