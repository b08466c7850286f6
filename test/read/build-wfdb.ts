/** Small WFDB records of every kind, built byte by byte apart from the writer under test. The main file comes first. */
import { annotationFile, ascii, concat, format212, int16 } from './build.ts';
import { flacFile } from './build-flac.ts';

export type Files = Readonly<Record<string, Uint8Array>>;

/** Integers of `width` bytes, lowest byte first. */
export function littleEndian(values: ArrayLike<number>, width: number): Uint8Array {
  const bytes = new Uint8Array(values.length * width);
  for (let i = 0; i < values.length; i++)
    for (let k = 0; k < width; k++) bytes[i * width + k] = values[i]! >> (8 * k);
  return bytes;
}

/** Three 10-bit values in two 16-bit words, 5 bits of the third above each of the others. */
export function format310(values: ArrayLike<number>): Uint8Array {
  const words: number[] = [];
  for (let i = 0; i < values.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => (values[i + k] ?? 0) & 0x3ff) as [number, number, number];
    words.push((a << 1) | ((c & 31) << 11), (b << 1) | ((c >> 5) << 11));
  }
  const left = values.length % 3;
  return littleEndian(words, 2).subarray(0, words.length * 2 - (left === 1 ? 2 : 0));
}

/** Three 10-bit values in a 32-bit word, from its lowest bit on. */
export function format311(values: ArrayLike<number>): Uint8Array {
  const words: number[] = [];
  for (let i = 0; i < values.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => (values[i + k] ?? 0) & 0x3ff) as [number, number, number];
    words.push(a | (b << 10) | (c << 20));
  }
  const left = values.length % 3;
  return littleEndian(words, 4).subarray(0, words.length * 4 - [0, 2, 1][left]!);
}

/** Values of one signal as a file of each format that takes them. */
export const encoders: Readonly<Record<string, (values: ArrayLike<number>) => Uint8Array>> = {
  '16': int16,
  '24': (values) => littleEndian(values, 3),
  '32': (values) => littleEndian(values, 4),
  '61': (values) => {
    const bytes = int16(values);
    for (let i = 0; i < bytes.length; i += 2) bytes.subarray(i, i + 2).reverse();
    return bytes;
  },
  '80': (values) => Uint8Array.from(values, (v) => v + 128),
  '160': (values) =>
    littleEndian(
      Array.from(values, (v) => v + 32768),
      2,
    ),
  '212': format212,
  '310': format310,
  '311': format311,
};

/** Of each format, the bits of a sample. */
export const bitsOfFormat: Readonly<Record<string, number>> = {
  ...{ '16': 16, '24': 24, '32': 32, '61': 16, '80': 8, '160': 16, '212': 12, '310': 10, '311': 10 },
};

const wave = (length: number, size: number) =>
  Array.from({ length }, (_, i) => Math.round(size * Math.sin(i / 3)));

/** A record with a signal in every format but FLAC, and annotations. */
export function allFormats(): Files {
  const formats = Object.keys(encoders);
  const lines = formats.map((format, i) => `x.d${i} ${format} 100(3)/mV 0 0 0 0 0 sig ${format}`);
  const files = formats.map((format, i): [string, Uint8Array] => [
    `x.d${i}`,
    encoders[format]!(wave(20, 100)),
  ]);
  const slope = wave(21, 100);
  const differences = Uint8Array.from({ length: 20 }, (_, i) => slope[i + 1]! - slope[i]!);
  const header = `x ${formats.length + 1} 250 20 10:20:30.5 03/02/2021\n${lines.join('\n')}\nx.d9 8 50 8 0 0 0 0 diff\n# Age: 63\n`;
  return {
    'x.hea': ascii(header),
    ...Object.fromEntries(files),
    'x.d9': differences,
    'x.atr': annotationFile([
      [28, 1, '(N'],
      [1, 4],
      [62, 1],
      [61, 3],
      [32, 5],
      [33, 6],
    ]),
  };
}

/** Two signals in a FLAC file. */
export function flacRecord(): Files {
  const left = wave(300, 90);
  const right = wave(300, 80);
  return {
    'f.hea': ascii('f 2 500 300\nf.dat 516 100/mV 16 0 0 0 0 a\nf.dat 516 100/mV 16 0 0 0 0 b\n'),
    'f.dat': flacFile([left, right], { bits: 16, blockSamples: 96, stereo: 'mid' }),
  };
}

/** A record of two segments with a gap between them, one layout for both. */
export function segments(): Files {
  return {
    'm.hea': ascii('m/4 2 100 30 10:00:00 01/02/2003\nm_layout 0\na 10\n~ 8\nb 12\n'),
    'm_layout.hea': ascii('m_layout 2 100 0\n~ 0 200/mV 12 0 0 0 0 I\n~ 0 100/mmHg 12 0 0 0 0 ABP\n'),
    'a.hea': ascii('a 1 100 10\na.dat 16 200/mV 12 0 0 0 0 I\n'),
    'a.dat': int16(wave(10, 100)),
    'b.hea': ascii('b 2 100 12\nb.dat 212 100/mmHg 12 0 0 0 0 ABP\nb.dat 212 200/mV 12 0 0 0 0 I\n'),
    'b.dat': format212(wave(24, 100)),
    'm.atr': annotationFile([
      [1, 2],
      [1, 20],
    ]),
  };
}

/** Every record above; each with its main file first. */
export function wfdbCorpus(): Readonly<Record<string, Files>> {
  return { formats: allFormats(), flac: flacRecord(), segments: segments() };
}

/** An AHA annotation file. */
export function ahaFile(
  rows: readonly (readonly [letter: string, sample: number, text?: string])[],
): Uint8Array {
  const parts = rows.map(([letter, sample, text = ''], i) => {
    const row = new Uint8Array(16);
    row[1] = letter.charCodeAt(0);
    row.set(littleEndian([sample >> 16, sample & 0xffff, i + 1], 2), 2);
    row.set(ascii(text), 10);
    return row;
  });
  return concat(...parts, new Uint8Array(16).fill(26));
}
