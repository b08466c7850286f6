/** What readers of archives give, and how large the content of an archive may be. */

/** One thing in an archive, its content in order. */
export interface ArchiveMember {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
  /** Exactly `bytes` bytes, or FormatError. To be read before the next member. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface UnpackOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onLog?: (text: string) => void;
  /** Throws where so many bytes more do not fit. */
  readonly checkSpace?: (bytes: number) => Promise<void>;
}

/**
 * How much larger than the archive its content may be: recordings shrink to a half, text to a tenth, rows of equal
 * numbers to a fiftieth; deflate itself ends at 1,032.
 */
const mostGrowth = 200;
const smallArchive = 16 * 2 ** 20;

/** Bytes that an archive of this size may hold. */
export function mostContent(archiveBytes: number): number {
  return mostGrowth * archiveBytes + smallArchive;
}
