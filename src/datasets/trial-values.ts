/** Cells of label tables → trials' values: what is empty or no number is left out. */

/** A number, or undefined for an empty cell, `NaN`, `nan`, `n/a` and other text. */
export function numberIn(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The entries that have a value. */
export function present(
  values: Readonly<Record<string, string | number | undefined>>,
): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
}

/** Each name with the classes no and yes, as a multi-label's targets have them. */
export function yesOrNo(names: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(names.map((name) => [name, ['0', '1']]));
}
