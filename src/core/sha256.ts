/**
 * sha256, the same in Node and a page. `sha256` is the web's own: asynchronous, so that a page stays awake over many bytes.
 * `createSha256` takes bytes in parts and answers at once, which the web's own cannot: Node's where it is there (ten times as
 * fast), else @noble/hashes.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** 64 hexadecimal digits. Once, at the end. */
  hex(): string;
}

/** What is needed of Node's `crypto`. */
export interface NativeCrypto {
  createHash(name: 'sha256'): { update(bytes: Uint8Array): unknown; digest(encoding: 'hex'): string };
}

/** A digest to which bytes are given part by part. `native`: Node's crypto where it is there; null takes the library. */
export function createSha256(
  native: NativeCrypto | null | undefined = globalThis.process?.getBuiltinModule?.('node:crypto'),
): Sha256 {
  if (native) {
    const hash = native.createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  }
  const hash = nobleSha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}

/** sha256 of bytes that are all there: 64 hexadecimal digits. */
export async function sha256(
  data: ArrayBufferView<ArrayBuffer> | Uint8Array | Float32Array,
): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', data as ArrayBufferView<ArrayBuffer>);
  return bytesToHex(new Uint8Array(digest));
}
