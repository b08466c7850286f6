/**
 * What a file may make of its bytes besides samples: cells, fields, texts, channels, annotations, segments, streams. A few
 * kilobytes of a compressed or damaged file can claim millions of them, each an object of a hundred bytes and more. Every
 * reader draws them from one budget a recording, and lets others run now and then while it builds them.
 */
import { InterruptedError, UnsupportedError } from './errors.ts';

/** Elements of one recording: a day of beats is 100,000, a session of markers less. At most some 300 MB and seconds. */
export const defaultMaxElements = 1_000_000;

/**
 * A channel, stream, column or variable weighs as much as so many texts: each brings tables, notes and a read of its own.
 * 62,500 of them are the most by default; the widest probes have some thousand.
 */
export const heavyElement = 16;

/** Work goes on for so long before others run: Ctrl-C, a page's clicks. Milliseconds. */
const breathMs = 50;

export interface BudgetOptions {
  /** Elements in all. Default 1,000,000. */
  readonly maxElements?: number | undefined;
  /** Ends the reading at its next breath. */
  readonly signal?: AbortSignal | undefined;
}

export class Budget {
  readonly maxElements: number;
  readonly #signal: AbortSignal | undefined;
  #spent = 0;
  #lastBreath = performance.now();

  constructor({ maxElements = defaultMaxElements, signal }: BudgetOptions = {}) {
    this.maxElements = maxElements;
    this.#signal = signal;
  }

  /** Take `count` elements, before they are built. UnsupportedError where there would be more than the limit. */
  spend(where: string, what: string, count = 1): void {
    this.#spent += count;
    if (this.#spent <= this.maxElements) return;
    const limit = this.maxElements.toLocaleString('en-US');
    throw new UnsupportedError(
      `${where}: holds more than ${limit} cells, texts, channels, annotations and the like; the limit was met at its ${what}. A damaged file can claim any number; where this one is right, raise the limit with --max-elements.`,
      `more than ${limit} elements`,
    );
  }

  /** The same limits, nothing spent: for a pass that keeps nothing of what it goes through. */
  fresh(): Budget {
    return new Budget({ maxElements: this.maxElements, signal: this.#signal });
  }

  /** Whether it is time to let others run. Asked in a loop whose turns are short: `if (budget.isLong()) await budget.breathe()`. */
  isLong(): boolean {
    return performance.now() - this.#lastBreath > breathMs;
  }

  /** Let others run where it is time. InterruptedError where the work was stopped. */
  async breathe(): Promise<void> {
    if (!this.isLong()) return;
    await nextTurn();
    this.#lastBreath = performance.now();
    if (this.#signal?.aborted) throw new InterruptedError('read: stopped.');
  }
}

/** The next turn of the event loop: a microtask would let neither signals nor clicks through. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve);
  });
}

const budgets = new WeakMap<object, Budget>();

/** The budget that a source brings, else one of its own with the default limits. */
export function budgetOf(source: { readonly budget?: Budget | undefined }): Budget {
  const known = source.budget ?? budgets.get(source);
  if (known) return known;
  const made = new Budget();
  budgets.set(source, made);
  return made;
}
