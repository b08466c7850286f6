/**
 * Which parts of a MAT variable are wanted: paths as MATLAB writes them, `DREAMER.Data{3}.EEG.stimuli{7}`. Elements
 * count from 1, column by column; `{k}` is a cell, `(k)` an element of a struct array (left out where it has one).
 */
import { ConfigError } from '../../core/errors.ts';
import { type MatClass, numericClasses } from './values.ts';

/** What is known of a part before its data are read. */
export interface MatHeader {
  readonly class: MatClass;
  readonly shape: readonly number[];
}

/**
 * `whole`: read it. `inside`: look at its cells or fields. `skip`: pass over it. `place`: only say where the numbers of a
 * numeric array lie, if they can be taken from there one by one; else as `whole`.
 */
export type MatDecision = 'whole' | 'inside' | 'skip' | 'place';

/**
 * Either patterns, with `*` for any one field or number (`S.Data{*}.ECG`): a part is read where it or something around
 * it matches; or a function of path and header.
 */
export type MatSelect = readonly string[] | ((path: string, header: MatHeader) => MatDecision);

export type MatChooser = (path: string, header: MatHeader) => MatDecision;

/** Undefined selects all. ConfigError where a pattern is none. */
export function chooserOf(select: MatSelect | undefined): MatChooser {
  if (!select) return () => 'whole';
  if (typeof select === 'function') return select;
  const patterns = select.map(stepsOf);
  return (path) => {
    const steps = stepsOf(path);
    let decision: MatDecision = 'skip';
    for (const pattern of patterns) {
      const shorter = Math.min(pattern.length, steps.length);
      let isSame = true;
      for (let i = 0; i < shorter && isSame; i++) isSame = matches(pattern[i]!, steps[i]!);
      if (!isSame) continue;
      if (pattern.length <= steps.length) return 'whole';
      decision = 'inside';
    }
    return decision;
  };
}

/** The array at a path: only its place, see MatDecision. ConfigError where the path is none. */
export function placing(path: string): MatChooser {
  const choose = chooserOf([path]);
  return (at, header) => {
    const decision = choose(at, header);
    const isNumeric = numericClasses.some((known) => known === header.class);
    return decision === 'whole' && isNumeric ? 'place' : decision;
  };
}

/** `S.Data{3}.x` → `S`, `.Data`, `{3}`, `.x` */
function stepsOf(path: string): string[] {
  const steps = path.match(/^[^.{}()]+|\.[^.{}()]+|\{(?:\d+|\*)\}|\((?:\d+|\*)\)/g) ?? [];
  if (path === '' || steps.join('') !== path)
    throw new ConfigError(
      `mat: '${path}' is no path into a variable. Write it as DREAMER.Data{3}.EEG.stimuli{*}.`,
      'select',
      'NAME.field{number}',
    );
  return steps;
}

function matches(pattern: string, step: string): boolean {
  return pattern === step || (pattern.includes('*') && pattern[0] === step[0] && pattern !== '*');
}
