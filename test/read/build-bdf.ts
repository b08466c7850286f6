/** BDF and BDF+ files built byte by byte: the layout of EDF with samples of three bytes. */
import { ascii, concat, type EdfParts, edfFile } from './build.ts';

/** Stored integers, three bytes each, little-endian. */
export function int24(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    bytes.set([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff], i * 3);
  }
  return bytes;
}

/** `perRecord` counts samples of three bytes; annotation texts have three times that room. */
export function bdfFile({ signals, records, ...parts }: EdfParts): Uint8Array {
  // The header is EDF's but for its first bytes.
  const header = edfFile({
    ...{ reserved: 'BDF+C', promised: String(records), ...parts, records: 0 },
    signals: signals.map((signal) => ({
      ...{ digital: ['-8388608', '8388607'] as const, physical: ['-8388608', '8388607'] as const },
      ...signal,
      label: signal.label === 'EDF Annotations' ? 'BDF Annotations' : signal.label,
    })),
  });
  const data: Uint8Array[] = [];
  for (let record = 0; record < records; record++)
    for (const { perRecord, values } of signals) {
      const given = values(record);
      const block = new Uint8Array(perRecord * 3);
      block.set(typeof given === 'string' ? new TextEncoder().encode(given) : int24(given));
      data.push(block);
    }
  return concat(Uint8Array.of(255), ascii('BIOSEMI'), header.subarray(8), ...data);
}

/** A small valid file of every kind of signal: voltages of two rates, triggers, annotations. */
export function sampleBdf(): Record<string, Uint8Array> {
  const signals = [
    {
      label: 'Fp1',
      perRecord: 16,
      values: (r: number) => Array.from({ length: 16 }, (_, i) => r * 99_999 - i * 7777),
    },
    { label: 'Temp', perRecord: 3, values: (r: number) => [r, -r, 8_388_607] },
    {
      label: 'Status',
      perRecord: 16,
      values: (r: number) => Array.from({ length: 16 }, (_, i) => 0x3f0000 | (i > 9 ? r : 0)),
    },
    {
      label: 'BDF Annotations',
      perRecord: 20,
      values: (r: number) => `+${r}\x14\x14\0+${r}.5\x151\x14schön ${r}\x14\0`,
    },
  ];
  return { 'sample.bdf': bdfFile({ signals, records: 4 }) };
}
