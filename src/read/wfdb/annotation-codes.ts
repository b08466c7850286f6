/**
 * Codes of WFDB annotations ↔ their mnemonics, as WFDB's own tools print them; and those of the AHA's files.
 * Source: ecgcodes.h, and "Annotation codes" of the WFDB Applications Guide, physionet.org.
 */

/** Mnemonic of each code 0–41; 15, 17 and 42–49 have none until a file defines one. */
const mnemonics = [
  ...[' ', 'N', 'L', 'R', 'a', 'V', 'F', 'J', 'A', 'S', 'E', 'j', '/', 'Q', '~', '[15]', '|', '[17]', 's'],
  ...['T', '*', 'D', '"', '=', 'p', 'B', '^', 't', '+', 'u', '?', '!', '[', ']', 'e', 'n', '@', 'x', 'f'],
  ...['(', ')', 'r'],
];

export const noteCode = 22;

/** Words that are no annotation: they move the time, or say more about the annotation before them. */
export const pseudoCodes = { skip: 59, number: 60, subtype: 61, channel: 62, text: 63 } as const;

/** A channel holds for all annotations that follow; this one says that those concern none. */
export const noChannel = 255;

/** `N` of 1; `[42]` of a code without a mnemonic. */
export function mnemonicOf(code: number): string {
  return mnemonics[code] ?? `[${code}]`;
}

const codes: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 49 }, (_, i) => [mnemonicOf(i + 1), i + 1]),
);

/** 1 of `N`; undefined where the text is no mnemonic. */
export function codeOf(mnemonic: string): number | undefined {
  return codes.get(mnemonic);
}

/** The letters of the American Heart Association's database. */
export const ahaMnemonics: ReadonlyMap<string, string> = new Map([
  ['N', 'N'],
  ['V', 'V'],
  ['F', 'F'],
  ['E', 'E'],
  ['R', 'r'],
  ['P', '/'],
  ['Q', 'Q'],
  ['U', '~'],
  ['O', '"'],
  ['[', '['],
  [']', ']'],
]);
