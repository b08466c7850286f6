/**
 * The event table of Neuroscan's CNT files: kinds 1 (8 bytes an event), 2 and 3 (19 bytes) → annotations, timed and
 * named as MNE does. Source: http://paulbourke.net/dataformats/eeg/ (structures TEEG, EVENT1, EVENT2).
 */
import { budgetOf } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import type { Annotation } from '../../core/recording.ts';
import type { CntHeader } from './header.ts';

const eventBytes: ReadonlyMap<number, number> = new Map([
  ...([
    [1, 8],
    [2, 19],
    [3, 19],
  ] as const),
]);

/** `keypad_accept` of markers that end and begin a stretch that the experimenter rejected. */
const [accepted, rejected] = [0xd0, 0xc0];

/** Read the table. What cannot be read is told in `log`. */
export async function readCntEvents(
  source: ByteSource,
  header: CntHeader,
  log: string[],
): Promise<Annotation[]> {
  const { eventTable, channels, sampleBytes, dataStart, rateHz } = header;
  if (eventTable === undefined || eventTable + 9 > source.byteLength) return [];
  const head = await source.read(eventTable, eventTable + 9);
  const kind = head[0]!;
  const width = eventBytes.get(kind);
  if (width === undefined) {
    log.push(`cnt: an event table of kind ${kind} was left out; 1, 2 and 3 are known.`);
    return [];
  }
  const promised = Math.floor(new DataView(head.buffer, head.byteOffset, 9).getUint32(1, true) / width);
  const count = Math.min(promised, Math.floor((source.byteLength - eventTable - 9) / width));
  if (count < promised) log.push(`cnt: ${promised} events are announced, ${count} are there and were read.`);
  budgetOf(source).spend(`cnt: ${source.name}`, 'events', count);
  const bytes = await source.read(eventTable + 9, eventTable + 9 + count * width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = channels.length * sampleBytes;
  const annotations: Annotation[] = [];
  let rejection: { at: number; start: number } | undefined;
  for (let i = 0; i < count; i++) {
    const at = i * width;
    const [keyboard, keypad] = [bytes[at + 2]!, bytes[at + 3]!];
    // Offsets are places in the file, of kind 3 numbers of samples.
    const place = kind === 3 ? view.getUint32(at + 4, true) * frame : view.getUint32(at + 4, true);
    const start = Math.max(0, Math.floor((place - dataStart) / frame) - 1) / rateHz;
    const label =
      keypad & 15
        ? `KeyPad Response ${keypad & 15}`
        : keyboard
          ? `Keyboard Response ${keyboard}`
          : String(view.getUint16(at, true));
    if (keypad === accepted && rejection) {
      const { at: begun, start: from } = rejection;
      annotations[begun] = { ...annotations[begun]!, duration: Math.max(0, start - from) };
      rejection = undefined;
      continue;
    }
    if (keypad === rejected) rejection = { at: annotations.length, start };
    annotations.push({ start, duration: 0, label: keypad === rejected ? `BAD_${label}` : label });
  }
  return annotations.sort((a, b) => a.start - b.start);
}
