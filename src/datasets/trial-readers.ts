/** Readers of files that only one dataset has, by the name that its trials give. */
import { openBids } from './bids-reader.ts';
import { capNames, renamingReader, slpdbNames } from './sleep-reader.ts';
import type { TrialReader } from './trial-files.ts';

export const trialReaders: Readonly<Record<string, TrialReader>> = {
  bids: openBids,
  cap: renamingReader(capNames),
  slpdb: renamingReader(slpdbNames),
};
