/**
 * A digest of named tensors and their metadata: what a file of weights carries to prove that it is what was written.
 * It does not depend on the order of tensors and metadata, which programs that copy a file may change, and covers names,
 * types, shapes, every value as it is stored, and every text.
 */
import { createSha256 } from '../core/sha256.ts';

/** A tensor as a file holds it. */
export interface StoredTensor {
  readonly name: string;
  /** `F32`, `F16`, … */
  readonly type: string;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

/** sha256, 64 hexadecimal digits: sorted metadata as JSON, then every tensor by name: a line of JSON, its bytes. */
export function digestTensors(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
): string {
  const hash = createSha256();
  const text = (value: unknown) => hash.update(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  const byName = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  text(Object.entries(metadata).sort(([a], [b]) => byName(a, b)));
  for (const { name, type, shape, bytes } of [...tensors].sort((a, b) => byName(a.name, b.name))) {
    text([name, type, shape]);
    hash.update(bytes);
  }
  return hash.hex();
}
