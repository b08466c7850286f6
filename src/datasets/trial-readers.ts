/** Readers of files that only one dataset has, by the name that its trials give. */
import { openBids } from './bids-reader.ts';
import { capNames, renamingReader, slpdbNames } from './sleep-reader.ts';
import { openDreamer } from './dreamer.ts';
import type { TrialReader } from './trial-files.ts';

export const trialReaders: Readonly<Record<string, TrialReader>> = {
  dreamer: openDreamer,
  bids: openBids,
  cap: renamingReader(capNames),
  // Large, and needs an optional package: loaded when it is asked for.
  code15: async (source) => (await import('./hdf5-tracings.ts')).openCode15(source),
  sph: async (source) => (await import('./hdf5-tracings.ts')).openSph(source),
  slpdb: renamingReader(slpdbNames),
};
