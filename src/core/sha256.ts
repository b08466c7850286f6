/**
 * sha256 of bytes that come in parts, at once: Node's own where it is there (ten times as fast), else @noble/hashes, so
 * that a page computes the same. The web's crypto.subtle is asynchronous and takes no parts.
 */
import { sha256 } from '@noble/hashes/sha2.js';
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
  const hash = sha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}
