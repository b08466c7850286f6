/**
 * What the user states of a file against what the file says itself: one rule for every format. The unit holds for channels
 * whose own unit is blank or not known; the rate must be the file's where the file has one. What cannot be used is refused.
 * Micro signs that were read in a wrong encoding are mended here too.
 */
import { ConfigError } from '../core/errors.ts';
import type { Channel, Recording } from '../core/recording.ts';
import { isKnownUnit, microvolts, repairUnit } from '../core/units.ts';
import { quoted } from './header-text.ts';
import type { ReadOptions } from './options.ts';

/** Rates given to fewer digits than a file's own are the same rate. */
const rateTolerance = 0.005;

/**
 * The recording with the units that were stated, and a sentence in its log for what was changed. ConfigError for a stated
 * unit that is no voltage or that no channel needs while the file says another, for a stated rate that is not the file's,
 * and for bits of samples in a format that says its own.
 */
export function applyStated(recording: Recording, options: ReadOptions): Recording {
  const log: string[] = [];
  checkRate(recording, options.rateHz);
  if (options.sampleBits !== undefined && recording.format !== 'cnt')
    throw new ConfigError(
      `--input-bits: ${recording.source} is ${recording.format}, which says how wide its samples are. Leave --input-bits out.`,
      'sampleBits',
      'files of Neuroscan CNT',
    );
  const stated = options.unit === undefined ? recording.channels : stateUnit(recording, options.unit, log);
  const channels = repairUnits(recording.format, stated, log);
  if (channels === recording.channels) return recording;
  return { ...recording, channels, log: [...recording.log, ...log] };
}

function stateUnit({ source, format, channels }: Recording, unit: string, log: string[]): Channel[] {
  const worth = microvolts(unit);
  if (worth === undefined)
    throw new ConfigError(
      `--input-unit: '${unit}' is not a voltage that heartmind knows. Give nV, uV, mV or V.`,
      'unit',
      'nV, uV, mV, V',
    );
  const isOpen = (channel: Channel) => channel.unit !== 'Boolean' && !isKnownUnit(channel.unit);
  const open = channels.filter(isOpen);
  const others = channels.filter((channel) => {
    const own = isOpen(channel) ? undefined : microvolts(channel.unit);
    return own !== undefined && Math.abs(own / worth - 1) > 1e-9;
  });
  const example = others[0];
  if (example && open.length === 0)
    throw new ConfigError(
      `--input-unit: ${source} states ${quoted(example.unit)} for ${quoted(example.name)}, '${unit}' was given. What a file says stands: leave --input-unit out.`,
      'unit',
      example.unit,
    );
  if (open.length > 0)
    log.push(
      `${format}: the unit of ${open.length} of ${channels.length} channels is '${unit}', as was stated${
        example
          ? `; ${others.length} that state their own keep it (${quoted(example.name)}: ${quoted(example.unit)})`
          : ''
      }.`,
    );
  return channels.map((channel) => (isOpen(channel) ? { ...channel, unit } : channel));
}

function repairUnits(format: string, channels: readonly Channel[], log: string[]): readonly Channel[] {
  const repaired = channels.map((channel) => ({ channel, ...repairUnit(channel.unit) }));
  const changed = repaired.filter(({ how }) => how !== 'plain');
  const [first] = changed;
  if (!first) return channels;
  const reason =
    first.how === 'lost'
      ? 'its sign was replaced, and no other prefix of volt is outside ASCII'
      : 'its sign is in another encoding';
  log.push(
    `${format}: the unit ${quoted(first.channel.unit)} of ${changed.length} channels is read as µV: ${reason}.`,
  );
  return repaired.map(({ channel, unit, how }) => (how === 'plain' ? channel : { ...channel, unit }));
}

function checkRate({ source, channels }: Recording, rateHz: number | undefined): void {
  if (rateHz === undefined) return;
  const other = channels.find((channel) => Math.abs(channel.rateHz / rateHz - 1) > rateTolerance);
  if (!other) return;
  throw new ConfigError(
    `--input-rate: ${source} states ${Number(other.rateHz.toPrecision(7))} Hz for ${quoted(other.name)}, ${rateHz} Hz was given. What a file says stands: leave --input-rate out; convert --rate resamples.`,
    'rateHz',
    `${other.rateHz}`,
  );
}
