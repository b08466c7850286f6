/** How a BIDS folder's recordings become windows unless said otherwise: by its channels and the mains where it was recorded. */
import { minOf } from '../core/arrays.ts';
import { HeartmindError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { eegRecipe, parseRecipe, type Recipe } from '../patches/recipe.ts';
import { openRecording } from '../read/open.ts';
import type { BidsFolder, BidsRecording } from './bids-folder.ts';
import { type BidsChannel, bidsChannels, ecgName, guessType } from './bids-reader.ts';
import { readJson, readTsv } from './bids-tables.ts';
import type { Trial } from './dataset.ts';

/** Channels that all recordings have and none calls bad; the mains' notch that eeg.json gives. */
export async function bidsRecipe(
  folder: ByteFolder,
  { recordings }: BidsFolder,
  events: readonly Trial[],
): Promise<Recipe> {
  const tables = new Map<string, readonly BidsChannel[]>();
  for (const recording of recordings) {
    const key = recording.channels ?? recording.name.folder;
    if (!tables.has(key)) tables.set(key, await channelsOf(folder, recording));
  }
  const all = [...tables.values()].filter((table) => table.length > 0);
  const mains = await firstNumber(folder, recordings, 'PowerLineFrequency');
  const common = (type: string) => {
    const lists = all.map((table) =>
      table.filter((row) => row.type === type && !row.isBad).map(({ name }) => name),
    );
    const counts = new Map<string, number>();
    for (const name of lists.flatMap((list) => [...new Set(list)]))
      counts.set(name, (counts.get(name) ?? 0) + 1);
    const inAll = [...counts].filter(([, count]) => count === lists.length);
    const chosen = inAll.length > 0 ? inAll : [...counts].filter(([, count]) => 2 * count >= lists.length);
    return chosen.map(([name]) => name).slice(0, 256);
  };
  const eeg = common('EEG');
  const ecgs = minOf(all.map((table) => table.filter((row) => row.type === 'ECG' && !row.isBad).length));
  const hasEcg = all.length > 0 && ecgs > 0;
  if (eeg.length === 0 && !hasEcg) return eegRecipe;
  const notchHz = mains === 50 || mains === 60 ? mains : null;
  const durations = events.flatMap(({ start, end }) => (end === undefined ? [] : [end - (start ?? 0)]));
  durations.sort((a, b) => a - b);
  const usual = durations[durations.length >> 1] ?? 10;
  const seconds = Math.max(1, Math.min(10, Math.floor(usual + 1e-6)));
  return parseRecipe({
    version: 1,
    signals: {
      ...(eeg.length > 0
        ? { eeg: { channels: eeg, scaleMicrovolts: 100, lowHz: 0.3, highHz: 75, notchHz } }
        : {}),
      ...(hasEcg
        ? {
            ecg: {
              channels: Array.from({ length: ecgs }, (_, k) => ecgName(k)),
              ...{ scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 },
            },
          }
        : {}),
    },
    window: { lengthSeconds: seconds, stepSeconds: seconds },
  });
}

/** By channels.tsv; where there is none, by the names of the recording; none where that cannot be opened. */
async function channelsOf(folder: ByteFolder, { channels, name }: BidsRecording): Promise<BidsChannel[]> {
  if (channels !== undefined) return bidsChannels(await readTsv(folder, channels));
  const source = await folder.open(name.path);
  try {
    const recording = await openRecording(source);
    const found = recording.channels.map(({ name: channel, unit }) => ({
      ...{ name: channel, unit, type: guessType(channel), isBad: false },
    }));
    await recording.close();
    return found;
  } catch (error) {
    await source.close?.();
    if (error instanceof HeartmindError) return [];
    throw error;
  }
}

/** A field of eeg.json, the nearest first. */
async function firstNumber(
  folder: ByteFolder,
  recordings: readonly BidsRecording[],
  key: string,
): Promise<number | undefined> {
  for (const path of new Set(recordings.flatMap(({ json }) => json))) {
    const value = (await readJson(folder, path))[key];
    if (typeof value === 'number') return value;
  }
  return undefined;
}
