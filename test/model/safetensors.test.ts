import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError, HeartmindError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { float32, type Tensor, tensor } from '../../src/core/tensor.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { damage, goldenBytes } from './golden.ts';

/** A file with this header and that many bytes of values. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const entry = (start: number, end: number, shape = [(end - start) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe('safetensors', () => {
  it("reads what Python's library writes", () => {
    const { tensors, metadata } = decodeSafetensors(goldenBytes('half.safetensors'), 'half');
    expect(metadata).toEqual({ 'made-by': 'safetensors (Python)' });
    expect(tensors.get('half')).toEqual(float32([3], [1, -2, 0.5]));
    expect(tensors.get('zero')).toEqual(tensor('int32', [2, 0], new Int32Array()));
  });

  it('gives back what was written, bit for bit, every dtype, aligned', () => {
    const tensors = new Map<string, Tensor>([
      ['flag', tensor('bool', [3], Uint8Array.of(1, 0, 1))],
      ['scalar', float32([], [Math.fround(0.1)])],
      ['wide', tensor('float64', [2], Float64Array.of(Math.PI, -0))],
      ['long', tensor('int64', [1, 2], BigInt64Array.of(-1n, 2n ** 62n))],
      ['int', tensor('int32', [2], Int32Array.of(-5, 7))],
      ['bytes', tensor('uint8', [0], new Uint8Array())],
      ['ключ "é"', float32([1, 2], [Number.NaN, Number.NEGATIVE_INFINITY])],
    ]);
    const bytes = encodeSafetensors(tensors, { recipe: '{"a":1}' });
    const back = decodeSafetensors(bytes, 'x');
    expect(back.metadata).toEqual({ recipe: '{"a":1}' });
    expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [key, value] of tensors) expect(back.tensors.get(key)).toEqual(value);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it.each<[string, Uint8Array, string]>([
    [
      'an empty file',
      new Uint8Array(),
      'x: a safetensors file has at least 10 bytes, this one has 0. Fetch it again.',
    ],
    [
      'a header beyond the file',
      file('{}', 0).fill(255, 0, 8),
      'x: a safetensors header of 18446744073709551615 bytes is declared, 2 to 2 are possible.',
    ],
    ['no JSON', file('{"a":', 0), 'x: the safetensors header is no JSON object'],
    ['an array', file('[]', 0), 'it does not begin with {'],
    [
      'a tensor beyond the values',
      file({ a: entry(0, 8) }, 4),
      "x: tensor 'a' lies at bytes 0–8 of 4 bytes of values.",
    ],
    [
      'a shape that does not fill its bytes',
      file({ a: entry(0, 8, [3]) }, 8),
      "x: tensor 'a' of shape [3] and dtype F32 cannot fill 8 bytes.",
    ],
    ['a shape that overflows', file({ a: entry(0, 8, [2 ** 52, 2 ** 52]) }, 8), 'cannot fill 8 bytes'],
    [
      'a negative size',
      file({ a: entry(0, 8, [-1, -2]) }, 8),
      "x: tensor 'a' has a shape that is no list of sizes.",
    ],
    [
      'an overlap',
      file({ a: entry(0, 8), b: entry(4, 12) }, 12),
      "x: tensor 'b' overlaps the tensor before it: it starts at byte 4, the last one ends at 8.",
    ],
    ['a hole', file({ a: entry(0, 4), b: entry(8, 12) }, 12), "x: tensor 'b' leaves a hole before it"],
    ['bytes left over', file({ a: entry(0, 4) }, 12), 'x: tensors end at byte 4 of 12 bytes of values.'],
    ['no offsets', file({ a: { dtype: 'F32', shape: [] } }, 0), "x: tensor 'a' has no pair of data_offsets."],
    [
      'metadata of numbers',
      file({ __metadata__: { a: 1 } }, 0),
      'x: __metadata__ of a safetensors file maps strings to strings.',
    ],
    ['deep nesting', file(`{"a":${'['.repeat(200_000)}`, 0), 'x: the safetensors header is no JSON object'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'x')).toThrow(FormatError);
    expect(() => decodeSafetensors(bytes, 'x')).toThrow(message);
  });

  it('names a dtype that it cannot hold', () => {
    expect(() => decodeSafetensors(file({ a: entry(0, 4, [4], 'F8_E4M3') }, 4), 'x')).toThrow(
      "x: tensor 'a' has dtype F8_E4M3; heartmind reads F64, F32, F16, BF16, I64, I32, U8, I8, BOOL. Convert it.",
    );
  });

  it('throws nothing but its own errors on random and damaged bytes', () => {
    const whole = encodeSafetensors(
      new Map([
        ['a', float32([2, 3], [1, 2, 3, 4, 5, 6])],
        ['b', float32([], [1])],
      ]),
      { k: 'v' },
    );
    const decode = (bytes: Uint8Array) => {
      try {
        decodeSafetensors(bytes, 'x');
      } catch (error) {
        expect(error).toBeInstanceOf(HeartmindError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decode));
    const kinds = fc.constantFrom('cut', 'flip', 'overwrite');
    fc.assert(
      fc.property(kinds, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(2047), (kind, at, value) =>
        decode(damage(whole, kind, at, value)),
      ),
      { numRuns: 500 },
    );
  });
});

describe('the digest of what heartmind writes', () => {
  const random = new Random(5);
  const tensors = new Map<string, Tensor>([
    [
      'weight',
      float32(
        [3, 4],
        Float32Array.from({ length: 12 }, () => random.normal()),
      ),
    ],
    ['count', tensor('int32', [2], Int32Array.of(3, -4))],
  ]);
  const metadata = { recipe: '{"scale":100}', classes: 'rest,task' };
  const file = encodeSafetensors(tensors, metadata);

  it('shows every flipped bit: an error, or the content that was written', () => {
    const whole = decodeSafetensors(file, 'x');
    expect(whole).toEqual({ tensors, metadata });
    let errors = 0;
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const damaged = file.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const { tensors: read, metadata: texts } = decodeSafetensors(damaged, 'x');
        // A damaged key of the digest is a text more; a blank at the header's end may be a tab.
        expect(read).toEqual(tensors);
        expect(texts).toMatchObject(metadata);
      } catch (error) {
        if (!(error instanceof HeartmindError)) throw error;
        errors++;
      }
    }
    expect(errors).toBeGreaterThan(0.8 * 8 * file.length);
  });

  it('does not depend on the order in which another program wrote tensors and texts', () => {
    const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes)));
    const reversed = (value: object) => Object.fromEntries(Object.entries(value).reverse());
    const again = JSON.stringify({ ...reversed(header), __metadata__: reversed(header.__metadata__) });
    const other = new Uint8Array(8 + again.length + file.length - 8 - headerBytes);
    new DataView(other.buffer).setBigUint64(0, BigInt(again.length), true);
    other.set(new TextEncoder().encode(again), 8);
    other.set(file.subarray(8 + headerBytes), 8 + again.length);
    expect(decodeSafetensors(other, 'x').metadata).toEqual(metadata);
  });

  it('says what is wrong', () => {
    const damaged = file.slice();
    damaged[damaged.length - 1]! ^= 4;
    expect(() => decodeSafetensors(damaged, 'model.safetensors')).toThrow(
      /^model\.safetensors: its 2 tensors have the sha256 [0-9a-f]{12}…, [0-9a-f]{12}… was written\. The copy is damaged/,
    );
  });

  it('is written anew with the content, so that a copied metadata cannot hold an old one', () => {
    const { metadata: read } = decodeSafetensors(file, 'x');
    const other = encodeSafetensors(new Map([['weight', float32([1], [2])]]), read);
    expect(decodeSafetensors(other, 'y').tensors.get('weight')).toEqual(float32([1], [2]));
  });
});
