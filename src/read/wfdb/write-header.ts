/** The text of a WFDB header. Source: header(5) of the WFDB Applications Guide, physionet.org. */
import type { Recording } from '../../core/recording.ts';
import { decimal } from '../header-text.ts';
import { subjectOf } from './metadata.ts';
import { parseWfdbStart } from './start.ts';
import type { WriteBits, WriteScale } from './write-scale.ts';

export interface WrittenSignal {
  readonly name: string;
  readonly unit: string;
  readonly samplesPerFrame: number;
  readonly scale: WriteScale;
  readonly initialValue: number;
  /** Sum of all stored samples; its lowest 16 bits are written. */
  readonly checksum: number;
}

/** Record line, signal lines, comments; ends with a line feed. */
export function wfdbHeaderText(
  record: string,
  recording: Pick<Recording, 'metadata' | 'startTime' | 'startNanoseconds'>,
  frameRateHz: number,
  frames: number,
  bits: WriteBits,
  signals: readonly WrittenSignal[],
): string {
  const { metadata } = recording;
  const counter = metadata['counter frequency'];
  const base = metadata['base counter'];
  const isNumber = (text: string | undefined) => /^[\d.]+$/.test(text ?? '') && decimal(text!) !== undefined;
  const rates = `${frameRateHz}${isNumber(counter) ? `/${counter}${isNumber(base) ? `(${base})` : ''}` : ''}`;
  const start = startText(recording);
  return [
    `${record} ${signals.length} ${rates} ${frames}${start && ` ${start}`}`,
    ...signals.map((signal) => signalLine(record, bits, signal)),
    ...comments(metadata).map((line) => `# ${line}`),
    '',
  ].join('\n');
}

function signalLine(record: string, bits: WriteBits, signal: WrittenSignal): string {
  const { name, unit, samplesPerFrame, scale, initialValue, checksum } = signal;
  const { gain, baseline, converter } = scale;
  const [low, high] = converter ?? [0, 0];
  // The converter: as many bits as its values need, around its middle.
  const used = Math.max(2, Math.ceil(Math.log2(high - low + 1)));
  const [resolution, zero] = high > low && used < bits ? [used, Math.round((low + high + 1) / 2)] : [bits, 0];
  const frame = samplesPerFrame === 1 ? '' : `x${samplesPerFrame}`;
  const description = oneLine(name);
  const sum = (checksum << 16) >> 16;
  return `${record}.dat ${bits}${frame} ${gain}(${baseline})/${unitText(unit)} ${resolution} ${zero} ${initialValue} ${sum} 0 ${description}`;
}

/** One word of ASCII: other tools read no more. `NU` is WFDB's word for no unit. */
function unitText(unit: string): string {
  const ascii = unit
    .replace(/[µμ]/g, 'u')
    .replace(/°/g, 'deg')
    .replace(/Ω/g, 'Ohm')
    .trim()
    .replace(/\s+/g, '_')
    .replace(/[^!-~]/g, '');
  return ascii === '' ? 'NU' : ascii;
}

/** `hh:mm:ss.sss dd/mm/yyyy`, with as many decimals as it has, up to the six that other tools read. */
function startText({
  startTime,
  startNanoseconds = 0,
  metadata,
}: Pick<Recording, 'metadata' | 'startTime' | 'startNanoseconds'>): string {
  if (!startTime) return parseWfdbStart([metadata['time of day'] ?? ''], []).timeOfDay ?? '';
  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  const nanoseconds = startTime.getUTCMilliseconds() * 1e6 + startNanoseconds;
  const microseconds = Math.round(nanoseconds / 1e3);
  const fraction = `.${pad(microseconds % 1e6, 6)}`.replace(/\.?(000){0,2}$/, '');
  const whole = new Date(Math.floor(startTime.getTime() / 1e3) * 1e3 + Math.floor(microseconds / 1e6) * 1e3);
  const time = [whole.getUTCHours(), whole.getUTCMinutes(), whole.getUTCSeconds()].map((n) => pad(n));
  const date = [pad(whole.getUTCDate()), pad(whole.getUTCMonth() + 1), pad(whole.getUTCFullYear(), 4)];
  return `${time.join(':')}${fraction} ${date.join('/')}`;
}

/** Comments as they were, and what else is known as `key: value`, unless reading them says it anyway. */
function comments(metadata: Readonly<Record<string, string>>): string[] {
  const lines = (metadata.comments ?? '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const said = new Map(Object.entries(subjectOf(lines)));
  const ours = new Set(['comments', 'record', 'time of day', 'counter frequency', 'base counter']);
  const more = Object.entries(metadata).filter(
    ([key, value]) => !ours.has(key) && said.get(key.toLowerCase()) !== value.trim(),
  );
  return [
    ...lines,
    ...more.map(([key, value]) => `${oneLine(key)}: ${value.trim().replace(/\s*[\r\n]+\s*/g, '; ')}`),
  ];
}

/** A line feed in a name would begin another line of the header. */
function oneLine(text: string): string {
  return text.replace(/[\s\0]+/g, ' ').trim();
}
