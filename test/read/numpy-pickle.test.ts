/** Pickled NumPy data of every protocol against Python's own reading: scripts/golden/numpy_pickle.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.ts';
import { decodeNumpyPickle, isArray, type NumpyValue } from '../../src/read/numpy/numpy-pickle.ts';

const folder = join(import.meta.dirname, '../golden/read/pickle');
const values = JSON.parse(readFileSync(join(folder, 'values.json'), 'utf8'));

function plain(value: NumpyValue): unknown {
  if (isArray(value)) return { shape: value.shape, values: Array.from(value.values) };
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, plain(one)]));
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

describe('decodeNumpyPickle', () => {
  it.each([0, 1, 2, 3, 4, 5])('protocol %d', (protocol) => {
    const bytes = readFileSync(join(folder, `protocol-${protocol}.pkl`));
    expect(plain(decodeNumpyPickle(bytes, 'x.pkl'))).toEqual(values);
  });

  it.each([
    ['a call of the system', "cos\nsystem\n(S'id'\ntR.", /global 'os.system', which is not allowed/],
    ['another class of NumPy', 'cnumpy\nmemmap\n.', /global 'numpy.memmap'/],
    [
      'an array of objects',
      "cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\ntRI00\nS''\ntb.",
      /'O8' are not numbers/,
    ],
    [
      'a shape that lies',
      "cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I999999999\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'abc'\ntb.",
      /has 3 bytes/,
    ],
    ['nothing', '', /1 bytes are due/],
  ])('refuses %s', (_, text, message) => {
    const read = () => decodeNumpyPickle(new TextEncoder().encode(text), 'x.pkl');
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  it('refuses lists that hold themselves and doublings', () => {
    // l = []; l.append(l)
    expect(() => decodeNumpyPickle(new TextEncoder().encode('(lp0\ng0\na.'), 'x')).toThrow(/holds itself/);
    const bomb = `(lp0\n${Array.from({ length: 30 }, (_, i) => `(lp${i + 1}\ng${i}\nag${i}\na`).join('')}.`;
    expect(() => decodeNumpyPickle(new TextEncoder().encode(bomb), 'x')).toThrow(/stands in many places/);
  });
});
