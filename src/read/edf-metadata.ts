/**
 * The patient and recording fields of EDF+ and BDF+: texts of fixed subfields → metadata.
 * `code sex birthdate name …` and `Startdate dd-MMM-yyyy administration technician equipment …`, `X` where unknown,
 * underscores for spaces. Source: EDF+ specification §2.1.3.3.
 */
import { type EdfHeader, months } from './edf-header.ts';

/** `patient` and `recording` as the file has them, and what they say of sex, birth, age and device. */
export function metadataOf(header: EdfHeader): Record<string, string> {
  const { patient, recording, reserved, startTime } = header;
  const [, sex, birth] = /^\S+ ([MFX]) (X|\d\d-[A-Za-z]{3}-\d{4}) \S/.exec(patient) ?? [];
  const [, equipment] = /^Startdate \S+ \S+ \S+ (\S+)/.exec(recording) ?? [];
  const birthday = birth && birth !== 'X' ? dateOf(birth) : undefined;
  const age = birthday && startTime ? yearsBetween(birthday, startTime) : undefined;
  return {
    ...(patient && { patient }),
    ...(recording && { recording }),
    ...(reserved && { variant: reserved }),
    ...(sex && sex !== 'X' && { sex }),
    ...(birthday && { birthdate: birthday.toISOString().slice(0, 10) }),
    ...(age !== undefined && age >= 0 && age <= 150 && { age: String(age) }),
    ...(equipment && equipment !== 'X' && { device: equipment.replaceAll('_', ' ') }),
  };
}

function dateOf(text: string): Date | undefined {
  const [day, month, year] = text.split('-') as [string, string, string];
  const index = months.indexOf(month.toUpperCase());
  return index < 0 ? undefined : new Date(Date.UTC(Number(year), index, Number(day)));
}

function yearsBetween(from: Date, to: Date): number {
  const years = to.getUTCFullYear() - from.getUTCFullYear();
  const isBefore =
    to.getUTCMonth() < from.getUTCMonth() ||
    (to.getUTCMonth() === from.getUTCMonth() && to.getUTCDate() < from.getUTCDate());
  return years - Number(isBefore);
}
