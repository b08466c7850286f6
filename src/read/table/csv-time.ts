/** Times written as text → seconds: `2023-10-31 14:05:01.123`, with or without zone, and clock times `14:05:01.123`. */

const isoPattern =
  /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T _]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,:](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;
const dayFirstPattern =
  /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})[T _]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;
const clockPattern = /^\[?(?:(\d{1,3}):)?(\d{1,2}):(\d{2}(?:[.,]\d{1,9})?)\]?$/;

export interface TextTime {
  /** Since 1970 for dates, since midnight or the beginning for clock times. */
  readonly seconds: number;
  readonly isDate: boolean;
}

/** The time that a text states; undefined where it states none. Dates without a zone are taken as UTC. */
export function parseTime(text: string): TextTime | undefined {
  const plain = text.trim();
  const clock = clockPattern.exec(plain);
  if (clock) {
    const [hours, minutes] = [Number(clock[1] ?? 0), Number(clock[2])];
    return { seconds: hours * 3600 + minutes * 60 + Number(clock[3]!.replace(',', '.')), isDate: false };
  }
  const iso = isoPattern.exec(plain);
  const other = iso ? undefined : dayFirstPattern.exec(plain);
  const match = iso ?? other;
  if (!match) return undefined;
  const [year, month, day] = iso
    ? [match[1], match[2], match[3]]
    : Number(match[1]) > 12
      ? [match[3], match[2], match[1]]
      : [match[3], match[1], match[2]];
  const minutes = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(match[4]), Number(match[5]));
  const fraction = match[7] ? Number(`0.${match[7]}`) : 0;
  const zone = /^([+-])(\d{2}):?(\d{2})$/.exec(match[8] ?? '');
  const shift = zone ? Number(`${zone[1]}1`) * (Number(zone[2]) * 3600 + Number(zone[3]) * 60) : 0;
  return { seconds: minutes / 1000 + Number(match[6] ?? 0) + fraction - shift, isDate: true };
}
