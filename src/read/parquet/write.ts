/**
 * A recording → Parquet, row group by row group: a DOUBLE column a channel, so that samples come back bit for bit; all
 * else as JSON in the metadata. Channels of one rate only: a table has one clock.
 */
import type { SchemaElement, Writer } from 'hyparquet-writer';
import { ConfigError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import type { WriteOptions, WriteRecording } from '../output.ts';
import { readChannels } from '../read-channels.ts';
import { checkWritable } from '../writable.ts';
import { factsOf } from './facts.ts';

/** Samples of all channels of a row group. */
const groupSamples = 2 ** 20;
/** Samples from which on our reader asks for an eighth of a byte a row: half of what it does. */
const longSamples = 2 ** 24;

/** Write .parquet. ConfigError where rates differ, and for times that are none. */
export const writeParquet: WriteRecording = async function* (recording, fileName, options = {}) {
  const { channels } = recording;
  checkWritable(recording, 'parquet', false);
  const [first] = channels;
  if (!first) throw new ConfigError(`parquet: ${recording.source} has no channels to write.`, 'out');
  const other = channels.find(
    ({ rateHz, lengthSamples }) => rateHz !== first.rateHz || lengthSamples !== first.lengthSamples,
  );
  if (other)
    throw new ConfigError(
      `parquet: '${first.name}' has ${first.lengthSamples} samples at ${first.rateHz} Hz, '${other.name}' ${other.lengthSamples} at ${other.rateHz} Hz; a table has one rate. Choose one with --rate, choose channels of one rate, or write .npz.`,
      'rateHz',
      'one rate',
    );
  yield { name: fileName, bytes: parquetBytes(recording, options) };
};

async function* parquetBytes(recording: Recording, { onProgress }: WriteOptions): AsyncIterable<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const names = uniqueNames(recording.channels.map(({ name }) => name));
  const schema: SchemaElement[] = [
    { name: 'recording', num_children: names.length },
    ...names.map((name) => ({ name, type: 'DOUBLE', repetition_type: 'REQUIRED' }) as const),
  ];
  const writer = new ByteWriter() as Writer & { index: number };
  const parquet = new ParquetWriter({
    writer,
    schema,
    createdBy: 'heartmind',
    kvMetadata: [{ key: 'heartmind', value: JSON.stringify(factsOf(recording)) }],
  });
  // What was written so far; the offset in the file goes on.
  const taken = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const { lengthSamples, rateHz } = recording.channels[0]!;
  const step = Math.max(1024, Math.floor(groupSamples / names.length));
  // Readers take long files of next to no bytes a row for a lie; one plain column keeps periodic signals above that.
  const isLong = lengthSamples * names.length > longSamples;
  for (let start = 0; start < lengthSamples; start += step) {
    const end = Math.min(lengthSamples, start + step);
    const parts = await readChannels(
      recording,
      names.map((_, channel) => ({ channel, start, end })),
    );
    await parquet.write({
      columnData: names.map((name, c) => ({
        ...{ name, data: parts[c]!, type: 'DOUBLE' as const },
        ...((isPlain(parts[c]!) || (isLong && c === 0)) && { encoding: 'PLAIN' as const }),
      })),
      rowGroupSize: end - start,
    });
    yield taken();
    onProgress?.(end / rateHz);
  }
  await parquet.finish();
  yield taken();
}

/**
 * Must values stand as they are? Where they change so rarely that run lengths would make next to nothing of them, which
 * readers take for a lie; and where there is a −0, which a dictionary takes for 0.
 */
function isPlain(values: Float64Array): boolean {
  let changes = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0 && Object.is(values[i], -0)) return true;
    changes += Number(i > 0 && values[i] !== values[i - 1]);
  }
  return changes < values.length / 128;
}

/** Columns need names of their own: `Fp1`, `Fp1 (2)`. */
function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const base = name || 'channel';
    let unique = base;
    for (let k = 2; used.has(unique); k++) unique = `${base} (${k})`;
    used.add(unique);
    return unique;
  });
}
