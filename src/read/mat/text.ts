/** Text of MAT-files: bytes in one of MATLAB's encodings → as many characters as the matrix has. */

/** A matrix that says it has characters and stores none is blank; longer ones are lies. */
const longestBlank = 65_536;

/** Stored as UTF-8 (16), UTF-16 (17, 4), UTF-32 (18), or a byte a character. Undefined where there are too few. */
export function decodeCharacters(
  raw: Uint8Array,
  type: number,
  count: number,
  isLittle: boolean,
): ArrayLike<string> | undefined {
  if (raw.length === 0) return count <= longestBlank ? ' '.repeat(count) : undefined;
  const text = decodeText(raw, type, isLittle);
  // MATLAB's characters are UTF-16 units; other programs count code points.
  if (text.length === count) return text;
  if (text.length < count) return undefined;
  const points = [...text];
  if (points.length === count) return points;
  return points.length > count ? points.slice(0, count) : undefined;
}

function decodeText(raw: Uint8Array, type: number, isLittle: boolean): string {
  if (type === 16) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(raw);
  if (type === 17 || type === 4 || type === 3)
    return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be', { ignoreBOM: true }).decode(raw);
  if (type === 18 || type === 6 || type === 5) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    let text = '';
    for (let at = 0; at + 4 <= raw.length; at += 4) {
      const point = view.getUint32(at, isLittle);
      text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
    }
    return text;
  }
  return Array.from(raw, (code) => String.fromCharCode(code)).join('');
}
