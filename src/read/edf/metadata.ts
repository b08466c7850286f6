/**
 * The patient and recording fields of EDF+ and BDF+: texts of fixed subfields ↔ metadata.
 * `code sex birthdate name …` and `Startdate dd-MMM-yyyy administration technician equipment …`, `X` where unknown,
 * underscores for spaces. Source: EDF+ specification §2.1.3.3.
 */
import { utcDate } from '../header-text.ts';
import { type EdfHeader, months } from './header.ts';

/** `patient` and `recording` as the file has them, and what they say of sex, birth, age and device. */
export function metadataOf(header: EdfHeader): Record<string, string> {
  const { patient, recording, reserved, startTime } = header;
  const [, sex, birth] = /^\S+ ([MFX]) (X|\d\d-[A-Za-z]{3}-\d{4}) \S/.exec(patient) ?? [];
  const [, equipment] = /^Startdate \S+ \S+ \S+ (\S+)/.exec(recording) ?? [];
  const birthday = birth && birth !== 'X' ? dateOf(birth) : undefined;
  const stated = /\bAge_(\d{1,3})\b/.exec(patient)?.[1];
  const age = birthday && startTime ? yearsBetween(birthday, startTime) : stated && Number(stated);
  return {
    ...(patient && { patient }),
    ...(recording && { recording }),
    ...(reserved && { variant: reserved }),
    ...(sex && sex !== 'X' && { sex }),
    ...(birthday && { birthdate: birthday.toISOString().slice(0, 10) }),
    ...(typeof age === 'number' && age >= 0 && age <= 150 && { age: String(age) }),
    ...(equipment && equipment !== 'X' && { device: equipment.replaceAll('_', ' ') }),
  };
}

/** `code sex birthdate name` from what a recording says of its subject. */
export function patientField({ patient, sex, age, birthdate }: Readonly<Record<string, string>>): string {
  if (patient && /^\S+ [MFX] (X|\d\d-[A-Za-z]{3}-\d{4}) \S/.test(patient)) return patient;
  const letter = /^[mf]/i.exec(sex ?? '')?.[0].toUpperCase() ?? 'X';
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(birthdate ?? '') ?? [];
  const birth = year && months[Number(month) - 1] ? `${day}-${months[Number(month) - 1]}-${year}` : 'X';
  const years = /^\d{1,3}$/.test(age ?? '') && birth === 'X' ? ` Age_${age}` : '';
  return `${subfield(patient).slice(0, 50)} ${letter} ${birth} X${years}`;
}

/** `administration technician equipment`, what follows the start date in the recording field. */
export function recordingField({ recording, device }: Readonly<Record<string, string>>): string {
  const rest = /^Startdate \S+ (.+)$/.exec(recording ?? '')?.[1];
  return rest ?? `${subfield(recording).slice(0, 30)} X ${subfield(device).slice(0, 20)}`;
}

/** Subfields end at spaces. */
function subfield(text: string | undefined): string {
  return text?.trim().replace(/\s+/g, '_') || 'X';
}

function dateOf(text: string): Date | undefined {
  const [day, month, year] = text.split('-') as [string, string, string];
  const index = months.indexOf(month.toUpperCase());
  return index < 0 ? undefined : utcDate(Number(year), index + 1, Number(day));
}

function yearsBetween(from: Date, to: Date): number {
  const years = to.getUTCFullYear() - from.getUTCFullYear();
  const isBefore =
    to.getUTCMonth() < from.getUTCMonth() ||
    (to.getUTCMonth() === from.getUTCMonth() && to.getUTCDate() < from.getUTCDate());
  return years - Number(isBefore);
}
