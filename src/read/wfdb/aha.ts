/**
 * Annotation files in AHA format, 16 bytes an annotation: 0, letter, time (32 bits, high word first), serial number,
 * MIT's subtype and code, 6 characters of text. Byte 26 in the letter's word ends them.
 * Source: annot(5) of the WFDB Applications Guide, physionet.org.
 */
import { latin1 } from '../header-text.ts';
import { ahaMnemonics, codeOf } from './annotation-codes.ts';
import type { ParsedAnnotations, StoredAnnotation } from './annotations.ts';

const recordBytes = 16;
const endMark = 0x1a;

const letterAt = (bytes: Uint8Array, at: number) => String.fromCharCode(bytes[at + 1]!);
const serialAt = (bytes: Uint8Array, at: number) => bytes[at + 6]! | (bytes[at + 7]! << 8);

/** Known letters and serial numbers from 1 on: MIT's words do not happen to look so. */
export function isAha(bytes: Uint8Array): boolean {
  if (bytes.length < recordBytes || bytes[0] !== 0) return false;
  if (!ahaMnemonics.has(letterAt(bytes, 0)) || serialAt(bytes, 0) !== 1) return false;
  if (bytes.length < 2 * recordBytes || bytes[recordBytes] === endMark) return true;
  return ahaMnemonics.has(letterAt(bytes, recordBytes)) && serialAt(bytes, recordBytes) === 2;
}

/** Annotations up to the end mark; `onFound` hears of each before it is built. */
export function parseAha(bytes: Uint8Array, onFound: () => void): ParsedAnnotations {
  const stored: StoredAnnotation[] = [];
  for (let at = 0; at < bytes.length; at += recordBytes) {
    if (bytes[at] === endMark) return { stored, isEnded: true };
    if (at + recordBytes > bytes.length) return { stored, isEnded: false, cutAt: at + recordBytes };
    const letter = letterAt(bytes, at);
    const mnemonic = ahaMnemonics.get(letter) ?? '"';
    const word = (place: number) => bytes[place]! | (bytes[place + 1]! << 8);
    const subtype = (bytes[at + 8]! << 24) >> 24;
    onFound();
    stored.push({
      sample: (word(at + 2) << 16) | word(at + 4),
      code: codeOf(mnemonic)!,
      // A stretch that nobody could read is noise of subtype −1.
      subtype: letter === 'U' && subtype === 0 ? -1 : subtype,
      text: latin1(bytes, at + 10, at + recordBytes),
    });
  }
  return { stored, isEnded: false };
}
