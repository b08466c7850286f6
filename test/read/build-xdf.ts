/** Small XDF files, chunk by chunk. */

export type XdfPart = Uint8Array;

const mark = [67, 165, 70, 220, 203, 245, 65, 15, 179, 14, 213, 70, 115, 131, 203, 228];
const utf8 = (text: string) => new TextEncoder().encode(text);

export function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const little = (bytes: number, set: (view: DataView) => void) => {
  const view = new DataView(new ArrayBuffer(bytes));
  set(view);
  return new Uint8Array(view.buffer);
};
export const uint32 = (value: number) => little(4, (view) => view.setUint32(0, value, true));
export const float64 = (value: number) => little(8, (view) => view.setFloat64(0, value, true));
export const variable = (value: number) => (value < 256 ? Uint8Array.of(1, value) : join([4], uint32(value)));

export const chunk = (tag: number, ...content: readonly (Uint8Array | readonly number[])[]): XdfPart => {
  const body = join(...content);
  return join(variable(body.length + 2), [tag, 0], body);
};
export const fileHeader = (info = '<version>1.0</version>') =>
  join(utf8('XDF:'), chunk(1, utf8(`<?xml version="1.0"?><info>${info}</info>`)));
export const boundary = () => chunk(5, mark);
export const streamHeader = (
  id: number,
  { name = 'Amp', type = 'EEG', count = 1, rate = 100 as number | string, format = 'int16', desc = '' } = {},
) =>
  chunk(
    2,
    uint32(id),
    utf8(
      `<?xml version="1.0"?><info><name>${name}</name><type>${type}</type><channel_count>${count}</channel_count><nominal_srate>${rate}</nominal_srate><channel_format>${format}</channel_format><desc>${desc}</desc></info>`,
    ),
  );
/** Samples of 16-bit integers; a stamp of undefined is deduced. */
export const samples16 = (
  id: number,
  rows: readonly (readonly number[])[],
  stamps: readonly (number | undefined)[],
) =>
  chunk(
    3,
    uint32(id),
    variable(rows.length),
    ...rows.flatMap((row, k) => [
      stamps[k] === undefined ? [0] : join([8], float64(stamps[k])),
      join(...row.map((value) => little(2, (view) => view.setInt16(0, value, true)))),
    ]),
  );
export const sampleTexts = (id: number, texts: readonly string[], stamps: readonly number[]) =>
  chunk(
    3,
    uint32(id),
    variable(texts.length),
    ...texts.flatMap((text, k) => [join([8], float64(stamps[k]!)), variable(utf8(text).length), utf8(text)]),
  );
export const clockOffset = (id: number, time: number, value: number) =>
  chunk(4, uint32(id), float64(time), float64(value));

/** Two streams of numbers, one of texts, offsets, boundaries: main file first. */
export function smallXdf(): Record<string, Uint8Array> {
  const parts = [
    fileHeader(),
    streamHeader(1, {
      name: 'EEG cap',
      count: 2,
      desc: '<channels><channel><label>Cz</label></channel></channels>',
    }),
    streamHeader(2, { name: 'Belt', type: 'ECG', rate: 48 }),
    streamHeader(3, { name: 'Keys', type: 'Markers', rate: 0, format: 'string' }),
  ];
  for (let part = 0; part < 4; part++) {
    const at = 10 + part / 4;
    const rows = Array.from({ length: 25 }, (_, k) => [part * 25 + k, -k]);
    parts.push(
      samples16(
        1,
        rows,
        rows.map((_, k) => (k % 5 ? undefined : at + k / 100)),
      ),
    );
    parts.push(
      samples16(
        2,
        rows.slice(0, 12).map(([a]) => [a!]),
        rows.map((_, k) => at + k / 48),
      ),
    );
    parts.push(clockOffset(1, at, 0.5 + part * 1e-6), boundary());
    parts.push(sampleTexts(3, [`mark ${part}`], [at + 0.1]));
  }
  parts.push(chunk(6, uint32(1), utf8('<info><sample_count>100</sample_count></info>')));
  return { 'small.xdf': join(...parts) };
}
