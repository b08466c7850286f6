/** Long recordings: all channels in one pass over the file are what each channel gives alone, from memory and disk. */
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openBrainVision } from '../../src/read/brainvision/brainvision.ts';
import { type ChannelRange, readChannels, wholeChannels } from '../../src/read/read-channels.ts';
import { openWfdb } from '../../src/read/wfdb/wfdb.ts';

const text = (...lines: string[]) => new TextEncoder().encode(`${lines.join('\n')}\n`);
/** Bytes of no pattern; words of the lowest value among them. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  for (let i = 0; i < 64; i++) bytes.set([0, 0, 0, 0x80, 0, 8, 0, 0], Math.floor((length / 64) * i) & ~7);
  return bytes;
}

/** Files → what readers take for a disk: pieces are short, memory of pieces is used again. */
function local(name: string, files: Record<string, Uint8Array>): ByteSource {
  const inner = bytesSource(name, files[name]!, files);
  return {
    ...inner,
    isLocal: true,
    async read(start, end, into) {
      const bytes = await inner.read(start, end);
      if (!into) return bytes.slice();
      into.set(bytes);
      return into;
    },
    sibling: async (other) => (files[other] ? local(other, files) : undefined),
  };
}

/** Of each format: bytes of `samples` samples. */
const packings = {
  16: (n: number) => 2 * n,
  24: (n: number) => 3 * n,
  32: (n: number) => 4 * n,
  61: (n: number) => 2 * n,
  80: (n: number) => n,
  160: (n: number) => 2 * n,
  212: (n: number) => Math.ceil(1.5 * n),
  310: (n: number) => 4 * Math.ceil(n / 3),
  311: (n: number) => 4 * Math.ceil(n / 3),
};

/** Five signals in two files, one of three samples a frame, one skewed, one stored nowhere; 130,001 frames. */
function wfdbFiles(format: keyof typeof packings): Record<string, Uint8Array> {
  const frames = 130_001;
  return {
    'r.hea': text(
      `r 5 250 ${frames}`,
      `a.dat ${format}+7 200(5)/mV 12 0 0 0 0 I`,
      `a.dat ${format}x3+7 123.4/mV 12 0 0 0 0 II`,
      `~ 0 200/mV 12 0 0 0 0 gone`,
      `b.dat ${format}:9 -17/mV 12 0 0 0 0 V1`,
      `b.dat ${format} 200/mV 12 0 0 0 0 V2`,
    ),
    'a.dat': noise(7 + packings[format](4 * frames)),
    'b.dat': noise(packings[format](2 * frames)),
  };
}

/** Frames of more samples than there are frames in a piece. */
function longFrames(format: keyof typeof packings): Record<string, Uint8Array> {
  const frames = 301;
  return {
    'r.hea': text(
      `r 3 1 ${frames}`,
      `a.dat ${format}x2500 200/mV 12 0 0 0 0 I`,
      `a.dat ${format} 200/mV 12 0 0 0 0 marks`,
      `a.dat ${format}x601 -3/mV 12 0 0 0 0 II`,
    ),
    'a.dat': noise(packings[format](3102 * frames)),
  };
}

function visionFiles(type: string, width: number, orientation: string): Record<string, Uint8Array> {
  const channels = ['0.1', '-2', '0.5'];
  return {
    'v.vhdr': text(
      ...['Brain Vision Data Exchange Header File Version 1.0', '[Common Infos]', 'DataFile=v.eeg'],
      ...[`DataOrientation=${orientation}`, 'NumberOfChannels=3', 'SamplingInterval=1000'],
      ...['[Binary Infos]', `BinaryFormat=${type}`, '[Channel Infos]'],
      ...channels.map((step, i) => `Ch${i + 1}=C${i + 1},,${step},uV`),
    ),
    'v.eeg': noise(3 * 200_003 * width),
  };
}

const bits = (x: Float64Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

/** What one pass gives, and each channel alone in short reads. */
async function expectSame(recording: Recording, ranges: readonly ChannelRange[]): Promise<void> {
  const together = await readChannels(recording, ranges);
  for (const [i, { channel, start, end }] of ranges.entries()) {
    const alone = new Float64Array(end - start);
    for (let from = start; from < end; from += 50_000) {
      const to = Math.min(end, from + 50_000);
      alone.set(await recording.read(channel, from, to), from - start);
    }
    expect(bits(together[i]!).equals(bits(alone)), `channel ${channel}`).toBe(true);
  }
}

const partsOf = (recording: Recording): ChannelRange[] =>
  recording.channels.map(({ lengthSamples }, channel) => ({
    channel,
    start: 11 + channel,
    end: channel === 1 ? 11 + channel : lengthSamples - 5 * channel,
  }));

describe('one pass over a file gives what each channel gives alone', () => {
  for (const format of Object.keys(packings).map(Number) as (keyof typeof packings)[])
    it(`WFDB ${format}: skew, rates, two files, missing samples`, async () => {
      const files = wfdbFiles(format);
      for (const source of [bytesSource('r.hea', files['r.hea']!, files), local('r.hea', files)]) {
        const recording = await openWfdb(source);
        await expectSame(recording, wholeChannels(recording));
        await expectSame(recording, partsOf(recording));
      }
    });

  for (const format of [16, 212, 310, 311] as const)
    it(`WFDB ${format}: long frames`, async () => {
      const files = longFrames(format);
      for (const source of [bytesSource('r.hea', files['r.hea']!, files), local('r.hea', files)]) {
        const recording = await openWfdb(source);
        await expectSame(recording, wholeChannels(recording));
        await expectSame(recording, partsOf(recording));
      }
    });

  for (const [type, width] of [
    ['INT_16', 2],
    ['INT_32', 4],
    ['IEEE_FLOAT_32', 4],
  ] as const)
    for (const orientation of ['MULTIPLEXED', 'VECTORIZED'])
      it(`BrainVision ${type}, ${orientation.toLowerCase()}`, async () => {
        const files = visionFiles(type, width, orientation);
        for (const source of [bytesSource('v.vhdr', files['v.vhdr']!, files), local('v.vhdr', files)]) {
          const recording = await openBrainVision(source);
          await expectSame(recording, wholeChannels(recording));
          await expectSame(recording, partsOf(recording));
        }
      });

  it('leaves a recording made of another one its own read', async () => {
    const files = visionFiles('INT_16', 2, 'MULTIPLEXED');
    const inner = await openBrainVision(bytesSource('v.vhdr', files['v.vhdr']!, files));
    const doubled: Recording = {
      ...inner,
      read: async (...asked) => (await inner.read(...asked)).map((x) => 2 * x),
    };
    const [[one], [two]] = [await readChannels(inner), await readChannels(doubled)];
    expect(two![1234]).toBe(2 * one![1234]!);
  });

  it('refuses ranges that are not there before it takes memory', async () => {
    const files = visionFiles('INT_16', 2, 'MULTIPLEXED');
    const recording = await openBrainVision(bytesSource('v.vhdr', files['v.vhdr']!, files));
    const ask = (start: number, end: number) => readChannels(recording, [{ channel: 0, start, end }]);
    await expect(ask(0, 1e15)).rejects.toThrow(FormatError);
    await expect(ask(5, 4)).rejects.toThrow("samples 5–4 of 'C1' were asked for, it has 200003.");
  });

  it('passes on a failing source', async () => {
    const files = visionFiles('INT_16', 2, 'MULTIPLEXED');
    const source = local('v.vhdr', files);
    const failing: ByteSource = {
      ...source,
      sibling: async (name) => {
        const data = await source.sibling!(name);
        const read: ByteSource['read'] = async (start, end, into) => {
          if (start > 0) throw new FormatError('v.eeg: gone. Fetch it again.', 'v.eeg', start);
          return data!.read(start, end, into);
        };
        return data && { ...data, read };
      },
    };
    const recording = await openBrainVision(failing);
    await expect(readChannels(recording)).rejects.toThrow('v.eeg: gone.');
  });
});
