/** Neuroscan CNT files built in place. */
import { ascii, concat } from './build.ts';

export interface CntParts {
  readonly channels: number;
  readonly samples: number;
  readonly sampleBytes?: 2 | 4;
  /** Stored integer of a channel's sample. */
  readonly value?: (channel: number, sample: number) => number;
  /** What the header says, where it is not the truth. */
  readonly promised?: number;
  readonly tableAt?: number;
  readonly date?: string;
  readonly events?: readonly (readonly [stim: number, sample: number])[];
}

export function cntFile({ channels, samples, sampleBytes = 2, ...parts }: CntParts): Uint8Array {
  const dataStart = 900 + 75 * channels;
  const frame = channels * sampleBytes;
  const table = dataStart + samples * frame;
  const { value = (c, s) => s * 10 + c, events = [] } = parts;
  const bytes = new Uint8Array(table);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii('Version 3.0'), 0);
  bytes.set(ascii(`${parts.date ?? '05/26/14'}`), 225);
  bytes.set(ascii('10:20:30'), 235);
  view.setUint16(370, channels, true);
  view.setUint16(376, 100, true);
  view.setUint32(864, parts.promised ?? samples, true);
  view.setUint32(886, parts.tableAt ?? table, true);
  for (let c = 0; c < channels; c++) {
    bytes.set(ascii(`E${c}`), 900 + 75 * c);
    view.setFloat32(900 + 75 * c + 59, 204.8, true);
    view.setFloat32(900 + 75 * c + 71, 0.5, true);
    for (let s = 0; s < samples; s++) {
      const at = dataStart + s * frame + c * sampleBytes;
      if (sampleBytes === 2) view.setInt16(at, value(c, s), true);
      else view.setInt32(at, value(c, s), true);
    }
  }
  const rows = new DataView(new ArrayBuffer(9 + 8 * events.length));
  rows.setUint8(0, 1);
  rows.setUint32(1, 8 * events.length, true);
  for (const [i, [stim, sample]] of events.entries()) {
    rows.setUint16(9 + 8 * i, stim, true);
    rows.setUint32(9 + 8 * i + 4, dataStart + (sample + 1) * frame, true);
  }
  return concat(bytes, new Uint8Array(rows.buffer));
}

/** A small valid file with events. */
export function sampleCnt(): Record<string, Uint8Array> {
  return {
    'sample.cnt': cntFile({
      channels: 3,
      samples: 60,
      events: [
        [5, 10],
        [7, 30],
      ],
    }),
  };
}
