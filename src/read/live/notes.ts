/** Notes of a source that goes on: what happens again and again is counted, and told at 1, 10, 100, … and at the end. */

/** Hears what a live source had to skip or to wait for, a sentence each. */
export type NoteListener = (note: string) => void;

export class CountedNotes {
  readonly #counts = new Map<string, { count: number; told: number; first: string }>();

  constructor(
    readonly where: string,
    readonly tell: NoteListener,
  ) {}

  /** `count` more of `what`, of which `first` is an example. */
  add(what: string, count = 1, first = ''): void {
    if (count === 0) return;
    const entry = this.#counts.get(what) ?? { count: 0, told: 0, first };
    this.#counts.set(what, entry);
    entry.count += count;
    if (entry.count >= 10 * entry.told) this.#say(what, entry);
  }

  /** Tell every count that went on since it was told. */
  finish(): void {
    for (const [what, entry] of this.#counts) if (entry.count > entry.told) this.#say(what, entry);
  }

  #say(what: string, entry: { count: number; told: number; first: string }): void {
    const first = entry.first === '' ? '' : `, the first ${entry.first}`;
    this.tell(`${this.where}: ${entry.count} ${what}${entry.told > 0 ? ' so far' : ''}${first}.`);
    entry.told = entry.count;
  }
}
