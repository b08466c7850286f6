/** The header of a WFDB record, from its file, and found from a file beside it. */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { latin1 } from '../header-text.ts';
import { parseWfdbHeader, type WfdbHeader } from './header.ts';

/** A real header is a few kilobytes; a longer file is something else. */
const maxHeaderBytes = 4 * 1024 * 1024;

/** Read and parse a .hea file; what of the budget a signal takes: those of a segment little. FormatError where it is none. */
export async function readWfdbHeader(
  source: ByteSource,
  log: string[],
  signalWeight = heavyElement,
): Promise<WfdbHeader> {
  if (source.byteLength > maxHeaderBytes)
    throw new FormatError(
      `wfdb: ${source.name} has ${source.byteLength} bytes, too many for a header. Open the record's .hea file.`,
      source.name,
    );
  const header = parseWfdbHeader(textOf(await source.read(0, source.byteLength)), source.name, log);
  const { signals, segments = [] } = header;
  budgetOf(source).spend(
    `wfdb: ${source.name}`,
    segments.length > 0 ? 'segments' : 'signals',
    signalWeight * signals.length + heavyElement * segments.length,
  );
  return header;
}

/** UTF-8 where it is that, else ISO 8859-1. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\0', ' ');
  } catch {
    return latin1(bytes);
  }
}

/** Does a header's text name this file? */
export async function namesFile(header: ByteSource, fileName: string): Promise<boolean> {
  const length = Math.min(header.byteLength, maxHeaderBytes);
  return textOf(await header.read(0, length)).includes(fileName);
}

/** The bare file name of a path or URL. */
export function fileNameOf(name: string): string {
  const path = /^[a-z][a-z0-9+.-]+:\/\//i.test(name) ? name.split(/[?#]/)[0]! : name;
  return path.split(/[/\\]/).at(-1) ?? '';
}
