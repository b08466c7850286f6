import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/core/crc32.ts';
import { FormatError, HeartmindError } from '../../src/core/errors.ts';
import { sizeOf } from '../../src/core/tensor.ts';
import { decodePth } from '../../src/model/pth.ts';
import { decodeSafetensors } from '../../src/model/safetensors.ts';
import { damage, goldenBytes, sameTensor } from './golden.ts';

const weights = decodeSafetensors(goldenBytes('weights.safetensors'), 'weights').tensors;

/** A zip of one pickle and storages, as torch.save lays it out. */
function archive(pickle: string, storages: Record<string, Uint8Array> = {}): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => [`a/data/${key}`, bytes] as const);
  const files = {
    'a/data.pkl': Uint8Array.from(pickle, (c) => c.charCodeAt(0)),
    ...Object.fromEntries(data),
  };
  return zipSync(files, { level: 0 });
}
const text = (value: string) => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;
const int = (value: number) =>
  `J${String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24)}`;
const ints = (values: readonly number[]) => `(${values.map(int).join('')}t`;
/** A pickled float32 tensor over storage `0`. */
const pickledTensor = (count: number, offset: number, shape: readonly number[], strides: readonly number[]) =>
  `ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}${int(count)}tQ` +
  `${int(offset)}${ints(shape)}${ints(strides)}\x89}tR`;
const stateDict = (...tensors: string[]) =>
  `\x80\x02}(${tensors.map((value, i) => text(`t${i}`) + value).join('')}u.`;

describe('decodePth', () => {
  it.each(['small.pth', 'small-legacy.pth'])('reads %s as PyTorch wrote it', (fileName) => {
    const tensors = decodePth(goldenBytes(fileName), fileName);
    const expected = [...weights].filter(([, { shape }]) => sizeOf(shape) <= 2000);
    expect(tensors.size).toBe(expected.length);
    for (const [key, value] of expected) expect(tensors.get(key)).toEqual(value);
  });

  it('honours strides, offsets, shared storages, byte order, every number type and a surrounding dict', () => {
    const tensors = decodePth(goldenBytes('strided.pth'), 'strided.pth');
    const expected = decodeSafetensors(goldenBytes('strided.safetensors'), 'expected').tensors;
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, value] of expected) expect(tensors.get(key), key).toEqual(value);
  });

  const reference = join(import.meta.dirname, '../../../shared/reference/weights_2layer_random');
  it.skipIf(!existsSync(`${reference}.pth`)).each(['.pth', '_legacy.pth'])(
    'reads the whole reference file %s (needs ../shared)',
    (ending) => {
      const tensors = decodePth(new Uint8Array(readFileSync(reference + ending)), ending);
      expect([...tensors.keys()].sort()).toEqual([...weights.keys()].sort());
      for (const [key, value] of weights) {
        expect(sameTensor(tensors.get(key), value), key).toBe(true);
      }
    },
  );

  it.each([
    ['os.system by GLOBAL', `\x80\x02cos\nsystem\n${text('id')}\x85R.`, 'os.system'],
    ['eval by STACK_GLOBAL', `\x80\x04\x8c\x08builtins\x8c\x04eval\x93${text('1')}\x85R.`, 'builtins.eval'],
    [
      'a look-alike',
      '\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n.',
      'torch._utils._rebuild_tensor_v2.__globals__',
    ],
    ['torch.load inside', '\x80\x02ctorch.storage\n_load_from_bytes\n.', 'torch.storage._load_from_bytes'],
    ['Object.prototype', '\x80\x02cconstructor\nconstructor\n.', 'constructor.constructor'],
  ])('names and refuses a pickle that asks for %s', (_, pickle, global) => {
    expect(() => decodePth(archive(pickle), 'x.pth')).toThrow(FormatError);
    expect(() => decodePth(archive(pickle), 'x.pth')).toThrow(
      `it asks for the global '${global}', which is not allowed`,
    );
    const legacyMagic = '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.';
    const legacy = Uint8Array.from(`${legacyMagic}\x80\x02M\xe9\x03.${pickle}`, (c) => c.charCodeAt(0));
    expect(() => decodePth(legacy, 'x.pth')).toThrow(global);
  });

  it.each([
    ['INST', '\x80\x02(ios\nsystem\n.', 'opcode 0x69'],
    ['OBJ', '\x80\x02(cos\nsystem\no.', "global 'os.system'"],
    ['NEWOBJ', '\x80\x02ccollections\nOrderedDict\n)\x81.', 'opcode 0x81'],
    ['extension codes', '\x80\x02\x82\x01.', 'opcode 0x82'],
    [
      'a call of a storage class',
      '\x80\x02ctorch\nFloatStorage\n)R.',
      'it calls something that is no function',
    ],
    [
      'attributes of a function',
      '\x80\x02ccollections\nOrderedDict\n}b.',
      'it sets attributes of something that is no dict',
    ],
    ['an empty stack', '\x80\x02.', 'the stack is empty'],
    ['a missing mark', '\x80\x02t.', 'no mark on the stack'],
    ['a string of 4 GB', '\x80\x02X\xff\xff\xff\xffab', '4294967295 bytes are due, 2 are left'],
    ['an endless name', '\x80\x02ccollections', 'a line does not end'],
  ])('refuses %s', (_, pickle, message) => {
    expect(() => decodePth(archive(pickle), 'x.pth')).toThrow(message);
  });

  const storage = { 0: new Uint8Array(24) };
  it.each([
    [
      'a tensor beyond its storage',
      stateDict(pickledTensor(6, 1, [6], [1])),
      'of shape [6], strides [1] and offset 1 does not fit its storage of 6 values',
    ],
    [
      'a storage that declares too much',
      stateDict(pickledTensor(600, 0, [600], [1])),
      'does not fit its storage of 6 values',
    ],
    [
      'a huge expansion',
      stateDict(pickledTensor(6, 0, [2 ** 30, 2], [0, 1])),
      "tensors need more than 4 times the file's",
    ],
    ['an expansion', stateDict(pickledTensor(6, 0, [7], [0])), 'does not fit its storage'],
    ['a negative stride', stateDict(pickledTensor(6, 0, [6], [-1])), 'no natural number'],
    [
      'a tensor of 65 dimensions',
      stateDict(pickledTensor(6, 0, Array(65).fill(1), Array(65).fill(1))),
      'no tuple of at most 64',
    ],
    [
      'a dict of numbers',
      `\x80\x02}(${text('epoch')}${int(3)}u.`,
      '1 entries of the dict are no tensors (epoch)',
    ],
    ['a list', '\x80\x02].', 'the file holds no dict of tensors'],
  ])('refuses %s', (_, pickle, message) => {
    expect(() => decodePth(archive(pickle, storage), 'x.pth')).toThrow(message);
  });

  it('bounds what many tensors over one storage may take', () => {
    const values = { 0: new Uint8Array(400_000) };
    const tensors = (count: number) =>
      stateDict(...Array(count).fill(pickledTensor(100_000, 0, [100_000], [1])));
    expect(decodePth(archive(tensors(3), values), 'x.pth').size).toBe(3);
    expect(() => decodePth(archive(tensors(5), values), 'x.pth')).toThrow("more than 4 times the file's");
  });

  it('refuses archives that lie about sizes', () => {
    const bomb = zipSync({ 'a/data.pkl': new Uint8Array(50_000_000) }, { level: 9 });
    expect(() => decodePth(bomb, 'x.pth')).toThrow("entry 'a/data.pkl' declares 50000000 bytes");
    const small = goldenBytes('small.pth');
    const wrong = small.slice();
    wrong[wrong.indexOf(0x80, 60) + 3000]! ^= 1;
    expect(() => decodePth(wrong, 'x.pth')).toThrow('wrong checksum');
    expect(() => decodePth(small.slice(0, -30), 'x.pth')).toThrow('no end record');
    expect(() => decodePth(zipSync({ 'readme.txt': strToU8('hello') }), 'x.pth')).toThrow('without data.pkl');
    expect(crc32(strToU8('123456789'))).toBe(0xcbf43926);
  });

  it('throws nothing but its own errors on random and damaged files', () => {
    const decode = (bytes: Uint8Array) => {
      try {
        decodePth(bytes, 'x');
      } catch (error) {
        expect(error).toBeInstanceOf(HeartmindError);
      }
    };
    const files = ['small.pth', 'small-legacy.pth', 'strided.pth'].map(goldenBytes);
    const plain = archive(stateDict(pickledTensor(6, 0, [2, 3], [3, 1])), storage);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decode));
    fc.assert(
      fc.property(
        fc.constantFrom(...files, plain),
        fc.constantFrom('cut', 'flip', 'overwrite'),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat(2047),
        (bytes, kind, at, value) => decode(damage(bytes, kind, at, value)),
      ),
      { numRuns: 400 },
    );
    // Past the checksum: a damaged pickle in a sound archive.
    const pickle = stateDict(pickledTensor(6, 0, [2, 3], [3, 1]));
    fc.assert(
      fc.property(fc.nat(pickle.length - 1), fc.nat(255), (at, byte) =>
        decode(archive(pickle.slice(0, at) + String.fromCharCode(byte) + pickle.slice(at + 1), storage)),
      ),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (random) =>
        decode(archive(`\x80\x02${String.fromCharCode(...random)}`)),
      ),
      { numRuns: 1000 },
    );
  });
});
