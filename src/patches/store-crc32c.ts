/**
 * CRC-32C of bytes: Zarr's codec `crc32c` (RFC 3720, polynomial 0x1EDC6F41 reflected), eight bytes at a time
 * ("slicing by 8", Kounavis & Berry 2005).
 */
const polynomial = 0x82f63b78;

/** tables[k][byte]: what a byte adds that stands k bytes before the end of the eight. */
const tables = makeTables();

function makeTables(): Int32Array[] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    first[byte] = crc;
  }
  const all = [first];
  for (let k = 1; k < 8; k++) all.push(all[k - 1]!.map((crc) => (crc >>> 8) ^ first[crc & 255]!));
  return all;
}

/** CRC-32C of the bytes, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  let crc = -1;
  let i = 0;
  // Whole words can be read at once where they are aligned.
  if (bytes.byteOffset % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, (bytes.length >>> 3) * 2);
    for (let w = 0; w < words.length; w += 2) {
      const low = crc ^ words[w]!;
      const high = words[w + 1]!;
      crc =
        t7[low & 255]! ^
        t6[(low >>> 8) & 255]! ^
        t5[(low >>> 16) & 255]! ^
        t4[low >>> 24]! ^
        t3[high & 255]! ^
        t2[(high >>> 8) & 255]! ^
        t1[(high >>> 16) & 255]! ^
        t0[high >>> 24]!;
    }
    i = words.length * 4;
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
