/**
 * A recording → .npz, streamed: samples as float64, so that they come back bit for bit, one array [C, T] for each rate
 * (`samples`, or `samples_0`, `samples_1`, …), beside it `names`, `units`, `rate_hz`, `group` (of each channel), steps and
 * ranges, `spans`, annotations, start. `numpy.load` opens it without pickle.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Channel, Recording } from '../../core/recording.ts';
import { type Tensor, tensor } from '../../core/tensor.ts';
import type { OutputFile, WriteRecording } from '../output.ts';
import { readChannels } from '../read-channels.ts';
import { checkWritable } from '../writable.ts';
import { groupName } from './npy.ts';
import { encodeNpy } from './npz.ts';
import { type ZipPart, zipStream } from './zip-write.ts';

/** Samples of all channels of a group held at a time. */
const blockSamples = 2 ** 18;

/** Characters of a text, and bytes of an array of texts: each is as wide as the longest. Readers take no more. */
const longestText = 65_536;
const mostTextBytes = 2 ** 28;

/** Write .npz, bit for bit. ConfigError for texts that are too long, and times that are none. */
export const writeNpz: WriteRecording = async function* (recording, fileName, options = {}) {
  checkWritable(recording, 'npz', false);
  const groups = groupsOf(recording.channels);
  const facts = factsOf(recording, groups);
  for (const [name, texts] of facts) if (Array.isArray(texts)) facts.set(name, checkTexts(name, texts));
  const parts = (async function* (): AsyncIterable<ZipPart> {
    for (const [name, array] of facts) {
      const bytes = encodeNpy(array);
      yield { name: `${name}.npy`, byteLength: bytes.length, bytes: once(bytes) };
    }
    for (const [g, channels] of groups.entries()) {
      const { lengthSamples, rateHz } = recording.channels[channels[0]!]!;
      const header = samplesHeader(channels.length, lengthSamples);
      const progress = g === 0 ? options.onProgress : undefined;
      yield {
        name: `${groupName(g, groups.length)}.npy`,
        byteLength: header.length + 8 * channels.length * lengthSamples,
        bytes: samplesBytes(recording, channels, header, (samples) => progress?.(samples / rateHz)),
      };
    }
  })();
  yield { name: fileName, bytes: zipStream(parts) } satisfies OutputFile;
};

const float64 = (shape: readonly number[], values: readonly number[]) =>
  tensor('float64', shape, Float64Array.from(values));

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Texts as NumPy holds them, which ends a text at a NUL. ConfigError where they are too long together. */
function checkTexts(name: string, texts: readonly string[]): string[] {
  const longest = texts.reduce((most, text) => Math.max(most, text.length), 0);
  const bytes = 4 * longest * texts.length;
  if (longest > longestText || bytes > mostTextBytes)
    throw new ConfigError(
      `npz: '${name}' holds ${texts.length} texts of up to ${longest} characters, ${bytes} bytes as NumPy stores them; ${longestText} characters and ${mostTextBytes} bytes are the most. Shorten the longest, or write .parquet.`,
      name,
    );
  return texts.map((text) => text.replaceAll('\0', ' '));
}

/** Channel numbers that share rate and length. */
function groupsOf(channels: readonly Channel[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [c, { rateHz, lengthSamples }] of channels.entries()) {
    const key = `${rateHz} ${lengthSamples}`;
    const group = groups.get(key);
    if (group) group.push(c);
    else groups.set(key, [c]);
  }
  return [...groups.values()];
}

/** Shape [C, T] in Fortran order: all channels of a sample lie together, so one pass over the recording is enough. */
function samplesHeader(channelCount: number, lengthSamples: number): Uint8Array {
  const empty = encodeNpy(tensor('float64', [0], new Float64Array(0)));
  const dictionary = `{'descr': '<f8', 'fortran_order': True, 'shape': (${channelCount}, ${lengthSamples}), }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const result = new Uint8Array(length);
  result.set(empty.subarray(0, 8));
  new DataView(result.buffer).setUint16(8, length - 10, true);
  result.set(new TextEncoder().encode(`${dictionary.padEnd(length - 11)}\n`), 10);
  return result;
}

async function* samplesBytes(
  recording: Recording,
  channels: readonly number[],
  header: Uint8Array,
  onSamples: (samples: number) => void,
): AsyncIterable<Uint8Array> {
  yield header;
  const { lengthSamples } = recording.channels[channels[0]!]!;
  const step = Math.max(1, Math.floor(blockSamples / channels.length));
  for (let start = 0; start < lengthSamples; start += step) {
    const end = Math.min(lengthSamples, start + step);
    const parts = await readChannels(
      recording,
      channels.map((channel) => ({ channel, start, end })),
    );
    const count = channels.length;
    const block = new Float64Array((end - start) * count);
    for (const [c, part] of parts.entries())
      for (let i = 0, k = c; i < part.length; i++, k += count) block[k] = part[i]!;
    yield new Uint8Array(block.buffer);
    onSamples(end);
  }
}

function factsOf(
  recording: Recording,
  groups: readonly (readonly number[])[],
): Map<string, Tensor | readonly string[]> {
  const { channels, annotations, spans, metadata, startTime, startNanoseconds } = recording;
  const group = new Float64Array(channels.length);
  for (const [g, members] of groups.entries()) for (const channel of members) group[channel] = g;
  const numbers = <T>(list: readonly T[], value: (item: T) => number | undefined) =>
    float64(
      [list.length],
      list.map((item) => value(item) ?? Number.NaN),
    );
  return new Map<string, Tensor | readonly string[]>([
    ['heartmind', ['recording 1']],
    ['names', channels.map(({ name }) => name)],
    ['units', channels.map(({ unit }) => unit)],
    ['notes', channels.map(({ note }) => note ?? '')],
    ['rate_hz', numbers(channels, ({ rateHz }) => rateHz)],
    ['group', tensor('float64', [group.length], group)],
    ['resolution', numbers(channels, ({ resolution }) => resolution)],
    ['offset', numbers(channels, ({ offset }) => offset)],
    ['range_low', numbers(channels, ({ range }) => range?.[0])],
    ['range_high', numbers(channels, ({ range }) => range?.[1])],
    [
      'spans',
      float64(
        [spans.length, 2],
        spans.flatMap(({ start, duration }) => [start, duration]),
      ),
    ],
    ...(startTime
      ? ([
          ['start_time', [startTime.toISOString()]],
          ['start_time_ms', float64([1], [startTime.getTime()])],
          ['start_nanoseconds', float64([1], [startNanoseconds ?? 0])],
        ] as const)
      : []),
    ['annotation_start', numbers(annotations, ({ start }) => start)],
    ['annotation_duration', numbers(annotations, ({ duration }) => duration)],
    ['annotation_label', annotations.map(({ label }) => label)],
    ['annotation_channel', numbers(annotations, ({ channel }) => channel ?? -1)],
    ['metadata_keys', Object.keys(metadata)],
    ['metadata_values', Object.values(metadata)],
  ]);
}
