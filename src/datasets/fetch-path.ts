/**
 * Paths as strangers write them, in checksum lists and archives → paths inside a folder, with `/` and without `./`. What could
 * lead out of it, be taken for a file of somebody's tools or of ours, or mean another file on another system, is refused.
 */
import { FormatError } from '../core/errors.ts';

/** Names that Windows keeps for devices: `aux.txt` cannot be created there. */
const devices = /^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)\s*(\.|$)/i;
/** C0, DEL and C1; marks that turn the direction of text, which show another name than there is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are refused
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
/** A download that is under way keeps its bytes and its state beside the file. */
const ours = /\.part(-state)?$/i;
/** What systems leave in folders and archives, of no use to anybody: not written, and no reason to refuse the rest. */
const leftBehind =
  /^(\.DS_Store|\._.+|\.localized|\.directory|\.Rhistory|\.git(keep|ignore|attributes)|\.bidsignore)$/;
const mostPartBytes = 240;
const mostPathBytes = 2000;

/** A path as it may be used inside a folder. FormatError for one that may not. */
export function safePath(path: string, source: string): string {
  const parts = partsOf(path);
  const problem = problemOf(path, parts);
  if (problem === undefined) return parts.join('/');
  throw new FormatError(
    `${source}: path '${path.slice(0, 80)}' ${problem}. Nothing was written for it; tell the publisher.`,
    source,
  );
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part, i, all) => part !== '.' && !(part === '' && i === all.length - 1));
}

function problemOf(path: string, parts: readonly string[]): string | undefined {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  if (parts.every((part) => part === '')) return 'is empty';
  if (path.startsWith('/')) return 'is absolute';
  if (parts.includes('..')) return 'leads out of the folder';
  if (parts.includes('')) return 'has an empty part';
  if (/[\\:]/.test(path) || controls.test(path)) return 'has a backslash, a colon or a control character';
  if (parts.some((part) => part.startsWith('.')))
    return 'has a part that begins with a dot, as settings of tools do';
  if (parts.some((part) => devices.test(part) || /[. ]$|[<>"|?*]/.test(part)))
    return 'is no file name on Windows';
  if (/\p{Surrogate}/u.test(path)) return 'is no text';
  if (parts.some((part) => ours.test(part))) return 'is the name of an unfinished download';
  if (parts.some((part) => bytes(part) > mostPartBytes))
    return `has a part of more than ${mostPartBytes} bytes`;
  return bytes(path) > mostPathBytes ? `has more than ${mostPathBytes} bytes` : undefined;
}

/** The paths of one list or archive: safe each, and no two of them one file on any system. */
export class SafePaths {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  readonly #leftOut: string[] = [];

  constructor(readonly source: string) {}

  /**
   * The path, safe; undefined for what systems leave behind, which is left out. FormatError for one that may not be used, or that
   * is another's by the rules of some system: `A` beside `a`, a file where a folder is, and with `once` the very same.
   */
  addFile(path: string, once = false): string | undefined {
    if (this.#isLeftBehind(path)) return undefined;
    const safe = safePath(path, this.source);
    const folded = fold(safe);
    const twin = this.#files.get(folded) ?? this.#folders.get(folded);
    if (twin !== undefined && (once || twin !== safe || this.#folders.has(folded)))
      throw this.#twins(safe, twin);
    this.#addFolders(safe.slice(0, Math.max(0, safe.lastIndexOf('/'))));
    this.#files.set(folded, safe);
    return safe;
  }

  addFolder(path: string): string | undefined {
    if (this.#isLeftBehind(path)) return undefined;
    const safe = safePath(path, this.source);
    this.#addFolders(safe);
    return safe;
  }

  /** A sentence on what was left out; undefined: nothing. */
  get note(): string | undefined {
    const names = this.#leftOut;
    if (names.length === 0) return undefined;
    const examples = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
    return `${this.source}: ${names.length} hidden files of operating systems and tools were left out: ${examples}.`;
  }

  #isLeftBehind(path: string): boolean {
    const parts = partsOf(path);
    const name = parts.pop() ?? '';
    if (!leftBehind.test(name) || problemOf(path, [...parts, 'x']) !== undefined) return false;
    this.#leftOut.push(path);
    return true;
  }

  /** A folder and those that it lies in. */
  #addFolders(path: string): void {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const folded = fold(folder);
      const twin = this.#files.get(folded) ?? this.#folders.get(folded);
      if (twin !== undefined && (twin !== folder || this.#files.has(folded))) throw this.#twins(folder, twin);
      // Those that it lies in are known, too.
      if (twin !== undefined) return;
      this.#folders.set(folded, folder);
    }
  }

  #twins(path: string, twin: string): FormatError {
    return new FormatError(
      `${this.source}: '${path}' and '${twin}' have the same name, on some systems or on all. Nothing was written for it; tell the publisher.`,
      this.source,
    );
  }
}

/** Equal for paths that a file system may take for one. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase().normalize('NFC');
}
