/** The datasets that heartmind knows by name. */
import { ConfigError } from '../core/errors.ts';
import type { DatasetSpec } from './dataset.ts';
import { cinc2021, ludb, ptbxl } from './ecg12.ts';
import { eegmat } from './eegmat.ts';
import { mitdb } from './mitdb.ts';
import { sampleEcg } from './sample.ts';

export const datasets: Readonly<Record<string, DatasetSpec>> = {
  eegmat,
  ptbxl,
  ludb,
  cinc2021,
  mitdb,
  'sample-ecg': sampleEcg,
};

/** A dataset by name; ConfigError lists the known ones. */
export function findDataset(name: string): DatasetSpec {
  if (Object.hasOwn(datasets, name)) return datasets[name]!;
  throw new ConfigError(
    `dataset '${name}' is unknown. Known: ${Object.keys(datasets).join(', ')}.`,
    'dataset',
    Object.keys(datasets).join(', '),
  );
}
