/** Characters that move the cursor, reorder text or cannot be seen are shown; all others stay. */
import { expect, test } from 'vitest';
import { visibleLine, visibleText } from '../../src/core/visible-text.ts';

test.each([
  ['an escape', 'a\x1b[31mb', 'a\\u001b[31mb'],
  ['a carriage return', 'a\rb', 'a\\rb'],
  ['a null, a bell, delete', '\0\x07\x7f', '\\u0000\\u0007\\u007f'],
  ['C1: CSI in one character', '\x9b2J', '\\u009b2J'],
  ['overrides and embeddings', '\u202a\u202b\u202c\u202d\u202e', '\\u202a\\u202b\\u202c\\u202d\\u202e'],
  ['isolates', '\u2066\u2067\u2068\u2069', '\\u2066\\u2067\\u2068\\u2069'],
  ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['zero width', '\u200b\u200c\u200d\u2060\ufeff', '\\u200b\\u200c\\u200d\\u2060\\ufeff'],
  ['separators of lines', '\u2028\u2029', '\\u2028\\u2029'],
  ['soft hyphen, fillers', '\u00ad\u115f\u3164', '\\u00ad\\u115f\\u3164'],
  ['tags, beyond 16 bits', '\u{e0041}', '\\udb40\\udc41'],
  ['half of a pair', 'a\ud800b', 'a\\ud800b'],
])('%s', (_, given, shown) => {
  expect(visibleText(given)).toBe(shown);
  expect(visibleLine(given)).toBe(shown);
});

test('line breaks and tabs stay in a text of ours, not in a name', () => {
  expect(visibleText('a\n\tb')).toBe('a\n\tb');
  expect(visibleLine('a\n\tb')).toBe('a\\n\\tb');
});

test.each(['EEG Fp1–F7 µV ± 3.5 … ×', 'ЭЭГ 脳波 קצב دل', '█░ ⠿⣿ ─', '👍 é e\u0301'])('%s stays', (text) => {
  expect(visibleLine(text)).toBe(text);
});

test('JSON with escapes is the same value', () => {
  const value = { name: 'a\x1b\x9b\u202e\u{e0041}b\n' };
  const shown = visibleText(JSON.stringify(value));
  expect(visibleLine(shown)).toBe(shown);
  expect(JSON.parse(shown)).toEqual(value);
});
