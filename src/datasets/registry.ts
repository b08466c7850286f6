/** The datasets that heartmind knows by name. */
import { ConfigError } from '../core/errors.ts';
import { amigos } from './amigos.ts';
import { bids, bidsEvents } from './bids.ts';
import { cap } from './cap.ts';
import { chapman } from './chapman.ts';
import { cinc2020, cinc2021 } from './cinc.ts';
import { code15 } from './code15.ts';
import type { PublishedDataset } from './dataset.ts';
import { deap } from './deap.ts';
import { dreamer } from './dreamer.ts';
import { eegmat } from './eegmat.ts';
import { faced } from './faced.ts';
import { hmc } from './hmc.ts';
import { ludb } from './ludb.ts';
import { mahnob } from './mahnob.ts';
import { mimicIvEcg } from './mimic-iv-ecg.ts';
import { mitdb, mitdbBeats } from './mitdb.ts';
import { ptbxl, ptbxl100 } from './ptbxl.ts';
import { sampleEcg } from './sample.ts';
import { seedV } from './seed-v.ts';
import { seedVii } from './seed-vii.ts';
import { slpdb } from './slpdb.ts';
import { sph } from './sph.ts';
import { wesad } from './wesad.ts';

export const datasets: Readonly<Record<string, PublishedDataset>> = {
  eegmat,
  dreamer,
  amigos,
  mahnob,
  wesad,
  deap,
  faced,
  'seed-v': seedV,
  'seed-vii': seedVii,
  ptbxl,
  'ptbxl-100': ptbxl100,
  ludb,
  cinc2020,
  cinc2021,
  mitdb,
  'mitdb-beats': mitdbBeats,
  'mimic-iv-ecg': mimicIvEcg,
  code15,
  chapman,
  sph,
  slpdb,
  cap,
  hmc,
  bids,
  'bids-events': bidsEvents,
  'sample-ecg': sampleEcg,
};

/** A dataset by name; ConfigError lists the known ones. */
export function findDataset(name: string): PublishedDataset {
  if (Object.hasOwn(datasets, name)) return datasets[name]!;
  throw new ConfigError(
    `dataset '${name}' is unknown. Known: ${Object.keys(datasets).join(', ')}.`,
    'dataset',
    Object.keys(datasets).join(', '),
  );
}
