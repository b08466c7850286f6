/** Readers of files that only one dataset has, by the name that its trials give. */
import { openAmigos } from './amigos.ts';
import { openBids } from './bids-reader.ts';
import { openDeap } from './deap.ts';
import { openDreamer } from './dreamer.ts';
import { openFaced } from './faced.ts';
import { openMahnob } from './mahnob.ts';
import { openSeedVii } from './seed-vii.ts';
import { capNames, renamingReader, slpdbNames } from './sleep-reader.ts';
import type { TrialReader } from './trial-files.ts';
import { openWesad } from './wesad.ts';

export const trialReaders: Readonly<Record<string, TrialReader>> = {
  dreamer: openDreamer,
  amigos: openAmigos,
  deap: openDeap,
  mahnob: openMahnob,
  wesad: openWesad,
  faced: openFaced,
  'seed-vii': openSeedVii,
  bids: openBids,
  cap: renamingReader(capNames),
  // Large, and needs an optional package: loaded when it is asked for.
  code15: async (source) => (await import('./hdf5-tracings.ts')).openCode15(source),
  sph: async (source) => (await import('./hdf5-tracings.ts')).openSph(source),
  slpdb: renamingReader(slpdbNames),
};

/** Those that open recordings of a usual format, of which a user may state what the file does not say. */
export const readersWithOptions: ReadonlySet<string> = new Set(['bids', 'cap', 'slpdb']);
