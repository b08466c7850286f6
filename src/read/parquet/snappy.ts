/**
 * Snappy blocks → bytes, in one pass whose every step goes forward: no input makes it loop or write beyond the result.
 * Source: google/snappy, format_description.txt.
 */

/** Inflate into `result`; false where the input does not fill it exactly. */
export function inflateSnappy(bytes: Uint8Array, result: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length && bytes[at]! >= 128) at++;
  at++;
  let done = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const size = length - 60;
        if (at + size > bytes.length) return false;
        length = 1;
        for (let k = 0; k < size; k++) length += bytes[at + k]! * 2 ** (8 * k);
        at += size;
      }
      if (at + length > bytes.length || done + length > result.length) return false;
      if (length > 32) result.set(bytes.subarray(at, at + length), done);
      else for (let k = 0; k < length; k++) result[done + k] = bytes[at + k]!;
      at += length;
      done += length;
      continue;
    }
    const size = tag & 3;
    const width = size === 3 ? 4 : size;
    if (at + width > bytes.length) return false;
    const length = size === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    let offset = size === 1 ? (tag >> 5) * 256 + bytes[at]! : bytes[at]! + bytes[at + 1]! * 256;
    if (size === 3) offset += bytes[at + 2]! * 65536 + bytes[at + 3]! * 2 ** 24;
    at += width;
    if (offset === 0 || offset > done || done + length > result.length) return false;
    for (const end = done + length; done < end; done++) result[done] = result[done - offset]!;
  }
  return done === result.length;
}
