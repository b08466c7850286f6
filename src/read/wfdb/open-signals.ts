/** A signal file of a WFDB record, opened by the format that its signals state. */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import { openDifferences } from './differences.ts';
import { flacFormats, openFlacSignals } from './flac.ts';
import { openPacked } from './packed.ts';
import { sampleFormats } from './samples.ts';
import type { PlacedSignal, SignalFile } from './signal-file.ts';

/**
 * Open the file that these signals are in. FormatError where it cannot hold them, UnsupportedError for a format that is
 * none, or several in one file.
 */
export async function openSignalFile(
  source: ByteSource,
  signals: readonly PlacedSignal[],
  where: string,
  tolerant: boolean,
  log: string[],
): Promise<SignalFile> {
  const { format: code, byteOffset } = signals[0]!;
  const isKnown = (format: string) => sampleFormats.has(format) || format === '8' || flacFormats.has(format);
  const odd = signals.find(({ format }) => format !== code) ?? signals[0]!;
  if (odd.format !== code || !isKnown(code)) {
    const feature = odd.format !== code && isKnown(odd.format) ? 'mixture' : odd.format;
    throw new UnsupportedError(
      `wfdb: ${where} stores ${quoted(signals[0]!.fileName)} in format ${feature}, which is none of 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524. Correct the header.`,
      `wfdb format ${feature}`,
    );
  }
  if (flacFormats.has(code)) return openFlacSignals(source, signals, log);
  if (byteOffset > source.byteLength && !tolerant)
    throw new FormatError(
      `wfdb: ${source.name} ends at byte ${source.byteLength}, its samples start at ${byteOffset}. The copy is truncated; fetch it again, or open it with --tolerant.`,
      source.name,
      source.byteLength,
    );
  if (code === '8') return openDifferences(source, signals);
  return openPacked(source, signals, sampleFormats.get(code)!);
}
