export interface Cell {
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly people?: readonly (number | null)[];
}
export function hasInterval(people: number): boolean;
export function table(header: readonly string[], rows: readonly string[]): string;
export function interval(score: Cell | undefined, people: number, isDifference?: boolean): string;
export function digits(value: number | null | undefined): string;
