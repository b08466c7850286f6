/** BrainVision files built in place: header, samples, markers. */
import { ascii } from './build.ts';

export interface VisionParts {
  /** Lines of `[Common Infos]` besides the usual ones. */
  readonly common?: string;
  readonly infos?: string;
  readonly channels?: readonly string[];
  readonly markers?: readonly string[];
  readonly samples: Uint8Array;
  readonly dataFile?: string;
  readonly markerFile?: string;
  readonly codepage?: string;
  readonly intervalMicroseconds?: number;
}

/** The three files of `stem`, header first. */
export function visionFiles(stem: string, parts: VisionParts): Record<string, Uint8Array> {
  const { channels = ['Fz,,0.5,µV', 'Cz,,0.5,µV'], markers = [], codepage = 'Codepage=UTF-8\n' } = parts;
  const encode = (text: string) => (codepage === '' ? ascii(text) : new TextEncoder().encode(text));
  const header = `Brain Vision Data Exchange Header File Version 2.0\n; comment\n[Common Infos]\n${codepage}DataFile=${parts.dataFile ?? '$b.eeg'}\nMarkerFile=${parts.markerFile ?? '$b.vmrk'}\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n${parts.common ?? ''}\nNumberOfChannels=${channels.length}\nSamplingInterval=${parts.intervalMicroseconds ?? 10_000}\n\n${parts.infos ?? '[Binary Infos]\nBinaryFormat=INT_16'}\n\n[Channel Infos]\n${channels.map((text, i) => `Ch${i + 1}=${text}`).join('\n')}\n\n[Comment]\nA note\n`;
  const marks = `Brain Vision Data Exchange Marker File, Version 2.0\n[Common Infos]\n${codepage}DataFile=${stem}.eeg\n[Marker Infos]\n${markers.map((text, i) => `Mk${i + 1}=${text}`).join('\n')}\n`;
  return {
    [`${stem}.vhdr`]: encode(header),
    [`${stem}.eeg`]: parts.samples,
    [`${stem}.vmrk`]: encode(marks),
  };
}

/** A small valid set: 16-bit integers, two segments, markers. */
export function sampleBrainVision(): Record<string, Uint8Array> {
  const values = Int16Array.from({ length: 200 }, (_, i) => (i * 7919) % 30_011);
  return visionFiles('sample', {
    samples: new Uint8Array(values.buffer),
    markers: [
      'New Segment,,1,1,0,20240229235959123456',
      'Stimulus,S  1,11,1,0',
      'New Segment,,51,1,0,20240301000002000000',
      'Comment,a\\1 b,61,5,2',
    ],
  });
}
