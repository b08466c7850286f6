/** What a table's reader says of itself: units that were guessed or have no use, what the times of rows are like. */
import { ConfigError } from '../../core/errors.ts';
import { microvolts } from '../../core/units.ts';
import { quoted } from '../header-text.ts';
import type { NamedUnit } from './columns.ts';
import type { RowFit } from './fit-rows.ts';

/** A unit that is given must be of use: ConfigError where every column states one, and another than this. */
export function checkUnit(units: readonly NamedUnit[], given: string | undefined, where: string): void {
  if (given === undefined || units.some(({ by }) => by === 'reader')) return;
  const other = units.find(({ unit }) => unit !== given && microvolts(unit) !== microvolts(given));
  if (other)
    throw new ConfigError(
      `${where} states the unit of every column (${quoted(other.name)}: ${other.unit}), so --input-unit ${given} has no use. Leave it out.`,
      'unit',
      other.unit,
    );
}

/** Units that nothing states are guesses, and said to be. */
export function noteUnits(units: readonly NamedUnit[], format: string, log: string[]): void {
  const guessed = units.filter(({ by }) => by === 'device');
  const names = guessed.slice(0, 4).map(({ name, unit }) => `${quoted(name)} ${unit}`);
  if (guessed.length > 0)
    log.push(
      `${format}: units by the names of the columns, as such devices write them: ${names.join(', ')}${guessed.length > 4 ? ', …' : ''}.`,
    );
}

/** What the fit of the times says, a sentence each. */
export function fitNotes(fit: RowFit, where: string, name: string, given: number | undefined): string[] {
  const { rateHz, measuredHz, packetRows, jitterSeconds, backward, firstBackward, setBackSeconds } = fit;
  const notes: string[] = [];
  const packets = packetRows > 1 ? `, in packets of ${packetRows} rows` : '';
  notes.push(
    given === undefined
      ? `${where} ${rateHz} Hz by the times in ${name} (${measuredHz.toPrecision(7)} Hz${packets}).`
      : `${where} ${rateHz} Hz${packets}.`,
  );
  if (given !== undefined && Math.abs(measuredHz / given - 1) > 0.02)
    notes.push(`${where} the times in ${name} make ${measuredHz.toPrecision(5)} Hz, not ${given} Hz.`);
  if (jitterSeconds * rateHz > 0.5)
    notes.push(
      `${where} the times in ${name} lie up to ${Number((1000 * jitterSeconds).toPrecision(3))} ms from even ones; the samples are laid out evenly.`,
    );
  if (backward > 0)
    notes.push(
      `${where} ${backward} times in ${name} lie before the one above them, the first in row ${firstBackward + 1} of the data; the rows keep their order.`,
    );
  if (setBackSeconds > 0)
    notes.push(
      `${where} the clock in ${name} was set back by ${Number(setBackSeconds.toPrecision(4))} s together; the rows follow on.`,
    );
  return notes;
}
