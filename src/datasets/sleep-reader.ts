/** Nights whose channels are named differently from one to the next → one name for the same derivation. */
import type { ByteSource } from '../core/bytes.ts';
import type { Recording } from '../core/recording.ts';
import { openRecording } from '../read/open.ts';
import type { ReadOptions } from '../read/options.ts';
import type { TrialContainer } from './trial-files.ts';

/** The names under which a dataset's recipe knows channels; undefined where a channel keeps its own. */
export type ChannelNaming = (name: string) => string | undefined;

/** Channels by the dataset's names; the first that gets a name has it. Renamings are told in the log. */
export function renameChannels(recording: Recording, naming: ChannelNaming): Recording {
  const taken = new Set(recording.channels.map(({ name }) => name));
  const log = [...recording.log];
  const channels = recording.channels.map((channel) => {
    const name = naming(channel.name);
    if (name === undefined || name === channel.name || taken.has(name)) return channel;
    taken.add(name);
    log.push(`channels: '${channel.name}' is ${name}.`);
    return { ...channel, name };
  });
  return { ...recording, channels, log };
}

/** A reader that renames. */
export function renamingReader(naming: ChannelNaming) {
  return async (source: ByteSource, _folder: unknown, options: ReadOptions = {}): Promise<TrialContainer> => {
    const recording = renameChannels(await openRecording(source, options), naming);
    return {
      open: async () => ({ ...recording, close: async () => undefined }),
      close: () => recording.close(),
    };
  };
}

/** MIT-BIH PSG: `EEG (C4-A1)`, `EEG (O2-A1)`, `EEG (C3-O1)` → EEG, the one that a record has. */
export const slpdbNames: ChannelNaming = (name) => (/^EEG\b/i.test(name.trim()) ? 'EEG' : undefined);

/** CAP: `C4A1`, `EEG C4-A1`, `C4-M1` → C4-A1; `ECG1-ECG2`, `EKG`, `ekg` → ECG. */
export const capNames: ChannelNaming = (name) => {
  const bare = name
    .trim()
    .toUpperCase()
    .replace(/^EEG[ -]/, '')
    .replace(/\s+/g, '');
  if (/^(ECG|EKG)/.test(bare)) return 'ECG';
  const [, plus, minus] = /^([CFO][34]|O[12])-?([AM][12])$/.exec(bare) ?? [];
  return plus && minus ? `${plus}-${minus.replace('M', 'A')}` : undefined;
};
