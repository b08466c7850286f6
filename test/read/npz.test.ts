import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { float32, tensor } from '../../src/core/tensor.ts';
import { encodeNpy, encodeNpz } from '../../src/read/numpy/npz.ts';

const header = (npy: Uint8Array) =>
  new TextDecoder('latin1').decode(npy.subarray(10, 10 + npy[8]! + 256 * npy[9]!));

describe('encodeNpy', () => {
  it('writes a header that NumPy parses, padded to 64 bytes', () => {
    const npy = encodeNpy(float32([2, 3], [1, 2, 3, 4, 5, 6]));
    expect([...npy.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
    expect(header(npy).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    expect((10 + header(npy).length) % 64).toBe(0);
    expect(npy.length).toBe(10 + header(npy).length + 24);
    expect([...new Float32Array(npy.slice(-24).buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('writes a scalar and a vector with the right tuples', () => {
    expect(header(encodeNpy(float32([], [1])))).toContain("'shape': (), ");
    expect(header(encodeNpy(tensor('int64', [2], BigInt64Array.of(1n, -1n))))).toContain("'<i8'");
    expect(header(encodeNpy(float32([2], [1, 2])))).toContain("'shape': (2,), ");
  });

  it('writes strings as fixed-width UCS-4', () => {
    const npy = encodeNpy(['é', 'a😀']);
    expect(header(npy)).toContain("'<U2'");
    expect([...new Uint32Array(npy.slice(-16).buffer)]).toEqual([0xe9, 0, 0x61, 0x1f600]);
  });
});

describe('encodeNpz', () => {
  it('is a zip with one .npy an array, the same bytes each time', () => {
    const arrays = new Map<string, Parameters<typeof encodeNpy>[0]>([
      ['ecg', float32([1, 2], [1, 2])],
      ['file', ['a.edf']],
    ]);
    const bytes = encodeNpz(arrays);
    expect(Object.keys(unzipSync(bytes))).toEqual(['ecg.npy', 'file.npy']);
    expect(encodeNpz(arrays)).toEqual(bytes);
  });
});
