/**
 * Text for a terminal: characters that move the cursor, change the order of what is read or cannot be seen at all are shown
 * as `\u001b`, so that no name in a file can pass for words of ours. The same escapes are valid in JSON.
 */

/** Controls, formatting (among them everything bidirectional), separators of lines, halves of pairs, and what is not drawn. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** Several lines of ours: line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text.replace(hidden, (c) => (c === '\n' || c === '\t' ? c : escapeCharacter(c)));
}

/** A name, a value, a message: what must stay within its line. */
export function visibleLine(text: string): string {
  return text.replace(hidden, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  let escaped = '';
  for (let i = 0; i < character.length; i++)
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}
