/** What a bare array of signals does not say: which side is time, how fast it runs, what its channels are called. */
import { ConfigError } from '../../core/errors.ts';
import { isRate } from '../header-text.ts';

/** Names under which people store a sampling rate, in lower case, without `_`, `-`, blanks. */
const rateNames = new Set([
  'fs',
  'srate',
  'sfreq',
  'rate',
  'freq',
  'frequency',
  'samplerate',
  'samplingrate',
  'samplefrequency',
  'samplingfrequency',
  'samplerateh',
  'sampleratehz',
  'samplingratehz',
  'sf',
  'hz',
]);

/** Names for lists of channel names, in the same form. */
const labelNames = new Set([
  'channels',
  'channelnames',
  'chnames',
  'chanlabels',
  'channellabels',
  'labels',
  'label',
  'leads',
  'leadnames',
  'electrodes',
  'channel',
  'names',
]);

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
export const isRateName = (name: string): boolean => rateNames.has(plain(name));
export const isLabelName = (name: string): boolean => labelNames.has(plain(name));

/** What a list of units is called. */
export const isUnitName = (name: string): boolean => ['unit', 'units'].includes(plain(name));

/** The rate: as found, else as stated. ConfigError where neither says it. */
export function rateOf(
  where: string,
  asked: number | undefined,
  found: number | undefined,
  foundAs: string,
  log: string[],
): number {
  if (found !== undefined && isRate(found)) {
    log.push(`The sampling rate of ${found} Hz is that of ${foundAs}.`);
    return found;
  }
  if (asked !== undefined && isRate(asked)) return asked;
  throw new ConfigError(
    `${where}: the file does not say its sampling rate. Give it with --input-rate.`,
    'rateHz',
    'a rate in Hz',
  );
}

/** Is time the first of two sides? The longer one; a sentence for the log says so. */
export function timeIsFirst(rows: number, columns: number, log: string[]): boolean {
  const isFirst = rows > columns;
  log.push(
    `The array of ${rows} × ${columns} is taken as ${Math.max(rows, columns)} samples of ${Math.min(rows, columns)} channels, by its longer side.`,
  );
  return isFirst;
}
