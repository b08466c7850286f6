/** Small WFDB records and annotation files, made in code: format 16, MIT annotations. */

export interface SyntheticRecord {
  readonly name: string;
  readonly rateHz: number;
  readonly channels: readonly { readonly name: string; readonly unit?: string; readonly gain?: number }[];
  readonly lengthSamples: number;
  /** Physical value of a sample; default: a wave that differs from channel to channel. */
  readonly value?: (channel: number, sample: number) => number;
  /** Lines after the `#`. */
  readonly comments?: readonly string[];
  /** Before its files' names. */
  readonly folder?: string;
}

/** `NAME.hea` and `NAME.dat`. */
export function wfdbFiles({
  name,
  rateHz,
  channels,
  lengthSamples,
  value = (channel, sample) => Math.sin(sample / (10 + channel)),
  comments = [],
  folder = '',
}: SyntheticRecord): Record<string, string | Uint8Array> {
  const lines = channels.map(
    ({ name: channel, unit = 'mV', gain = 1000 }) =>
      `${name}.dat 16 ${gain}(0)/${unit} 16 0 0 0 0 ${channel}`,
  );
  const header = [
    `${name} ${channels.length} ${rateHz} ${lengthSamples}`,
    ...lines,
    ...comments.map((line) => `#${line}`),
  ];
  const samples = new DataView(new ArrayBuffer(2 * channels.length * lengthSamples));
  for (let t = 0; t < lengthSamples; t++)
    for (const [c, { gain = 1000 }] of channels.entries())
      samples.setInt16(2 * (t * channels.length + c), Math.round(value(c, t) * gain), true);
  return {
    [`${folder}${name}.hea`]: `${header.join('\n')}\n`,
    [`${folder}${name}.dat`]: new Uint8Array(samples.buffer),
  };
}

export interface SyntheticMark {
  readonly sample: number;
  /** Of ecgcodes.h: 1 N, 5 V, 8 A, 22 note, 28 rhythm. */
  readonly code: number;
  readonly text?: string;
}

/** An annotation file in MIT format. */
export function wfdbMarks(marks: readonly SyntheticMark[]): Uint8Array {
  const bytes: number[] = [];
  const word = (value: number) => bytes.push(value & 255, (value >> 8) & 255);
  let now = 0;
  for (const { sample, code, text = '' } of marks) {
    let step = sample - now;
    now = sample;
    if (step > 1023 || step < 0) {
      word(59 << 10);
      word((step >> 16) & 65535);
      word(step & 65535);
      step = 0;
    }
    word((code << 10) | step);
    if (text === '') continue;
    const aux = new TextEncoder().encode(text);
    word((63 << 10) | aux.length);
    bytes.push(...aux, ...(aux.length % 2 === 1 ? [0] : []));
  }
  word(0);
  return Uint8Array.from(bytes);
}

/** Twelve leads, 10 s. */
export const twelve = [
  ...['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map((name) => ({ name })),
];
