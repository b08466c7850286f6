/** A recording in a few lines of text: for each channel, how far it reaches over time, in dots of braille. */
import { maxOf } from '../core/arrays.ts';
import type { Recording } from '../core/recording.ts';
import { visibleLine } from '../core/visible-text.ts';
import { type Envelope, type Envelopes, pictureRange } from '../evaluate/traces-envelope.ts';

/** A character has 2 × 4 dots; the bits of each, from the top down: Unicode 16, block 2800. */
const dotBits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const dotRows = 4;

/** Columns of dots in a picture that is so many characters wide. */
export function pictureBins(characters: number): number {
  return 2 * characters;
}

/** One channel: two bins a character, dots from the lowest to the highest value of each; blank where there is nothing. */
export function drawEnvelope(envelope: Envelope): string {
  const [bottom, top] = pictureRange(envelope);
  const height = top - bottom;
  const rowOf = (value: number) =>
    height > 0
      ? Math.min(dotRows - 1, Math.max(0, Math.floor(((top - value) / height) * dotRows)))
      : dotRows - 1;
  let text = '';
  for (let i = 0; i < envelope.low.length; i += 2) {
    let dots = 0;
    for (const [column, bits] of dotBits.entries()) {
      const [low, high] = [envelope.low[i + column] ?? Number.NaN, envelope.high[i + column] ?? Number.NaN];
      if (!Number.isFinite(low) || !Number.isFinite(high)) continue;
      for (let row = rowOf(high); row <= rowOf(low); row++) dots |= bits[row]!;
    }
    text += dots === 0 ? ' ' : String.fromCharCode(0x2800 + dots);
  }
  return text;
}

export interface PictureOptions {
  /** By channel: what is to be drawn as suspicious. */
  readonly faulty: readonly boolean[];
  readonly coloured: boolean;
}

/** Channels that are drawn; a cap of electrodes fills several screens. */
const maximumRows = 64;
const widestName = 16;
const widestRange = 22;
const narrowest = 20;

/** Characters that are left for the picture itself. */
export function pictureWidth(recording: Pick<Recording, 'channels'>, columns: number): number {
  return Math.max(narrowest, Math.min(100, columns - nameWidth(recording) - widestRange - 4));
}

/** The whole picture, a line a channel, with what the ends of its line stand for. */
export function drawRecording(
  recording: Pick<Recording, 'channels' | 'duration'>,
  { channels, binSeconds, share }: Envelopes,
  { faulty, coloured }: PictureOptions,
): string {
  const width = nameWidth(recording);
  const lines = channels.slice(0, maximumRows).map((envelope, i) => {
    const { name, unit } = recording.channels[i]!;
    const [low, high] = pictureRange(envelope);
    const range = Number.isFinite(low)
      ? `${figure(low)} … ${figure(high)} ${visibleLine(unit)}`.trimEnd()
      : 'nothing';
    const dots = drawEnvelope(envelope);
    return `${toWidth(visibleLine(name), width)}  ${coloured ? paint(dots, faulty[i] ? 33 : 36) : dots}  ${range}`;
  });
  if (channels.length > maximumRows) lines.push(`… and ${channels.length - maximumRows} more channels`);
  const seconds = figure(2 * binSeconds);
  const sampled = share < 1 ? `, of which ${figure(100 * share)} % were looked at` : '';
  return [`lowest to highest value, ${seconds} s a character${sampled}:`, ...lines].join('\n');
}

function nameWidth({ channels }: Pick<Recording, 'channels'>): number {
  return Math.min(
    widestName,
    maxOf(
      channels.map(({ name }) => [...visibleLine(name)].length),
      0,
    ),
  );
}

function toWidth(text: string, width: number): string {
  const characters = [...text];
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : text.padEnd(width);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** ANSI colour: 36 cyan, 33 yellow. */
function paint(text: string, colour: number): string {
  return `\x1b[${colour}m${text}\x1b[0m`;
}
