/** A text's bytes as UTF-8: marks taken off, UTF-16 rewritten. */
import { joinArrays } from '../../core/arrays.ts';
import { budgetOf } from '../../core/budget.ts';
import { type ByteSource, bytesSource } from '../../core/bytes.ts';

/** Decoded at once. */
const pieceBytes = 16 * 1024 * 1024;

/** The text, and how many bytes of a mark to skip. */
export async function asUtf8(source: ByteSource): Promise<{ source: ByteSource; skip: number }> {
  const head = await source.read(0, Math.min(64, source.byteLength));
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { source, skip: 3 };
  const encoding = encodingOf(head);
  if (!encoding) return { source, skip: 0 };
  const decoder = new TextDecoder(encoding);
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < source.byteLength; at += pieceBytes) {
    const end = Math.min(source.byteLength, at + pieceBytes);
    const text = decoder.decode(await source.read(at, end), { stream: end < source.byteLength });
    pieces.push(encoder.encode(text));
  }
  const text = bytesSource(source.name, joinArrays(Uint8Array, pieces));
  return { source: { ...text, budget: budgetOf(source) }, skip: 0 };
}

/** UTF-16 by its mark, or by the zero in every other byte of text that is mostly ASCII. */
export function encodingOf(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (head.length < 16) return undefined;
  const zeros = [0, 0];
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[i % 2]!++;
  const [even, odd] = [zeros[0]!, zeros[1]!];
  if (odd >= 0.45 * head.length && even === 0) return 'utf-16le';
  return even >= 0.45 * head.length && odd === 0 ? 'utf-16be' : undefined;
}
