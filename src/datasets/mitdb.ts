/** MIT-BIH Arrhythmia Database: two leads, 30 min, every beat annotated; cut at the beats' AAMI classes by its user. */
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { baseName, type DatasetSpec, type Trial } from './dataset.ts';

/** AAMI EC57's classes of beats, by the symbols of the annotation files. */
export const aamiClasses: Readonly<Record<string, 'N' | 'S' | 'V' | 'F' | 'Q'>> = {
  ...{ N: 'N', L: 'N', R: 'N', e: 'N', j: 'N' },
  ...{ A: 'S', a: 'S', J: 'S', S: 'S' },
  ...{ V: 'V', E: 'V', F: 'F' },
  ...{ '/': 'Q', f: 'Q', Q: 'Q' },
};

/** Records 201 and 202 are of one person. */
const samePerson: Readonly<Record<string, string>> = { '202': '201' };

export const mitdb: DatasetSpec = {
  name: 'mitdb',
  title: 'MIT-BIH Arrhythmia Database',
  licence: 'ODC-BY 1.0',
  url: 'https://physionet.org/content/mitdb/1.0.0/',
  citation:
    'Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45–50 (2001).',
  modalities: ['ecg'],
  targets: {},
  splits: {},
  recipe: parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['MLII', 'V1'], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 } },
    window: { lengthSeconds: 10, stepSeconds: 10 },
  }),
  async trials(folder: ByteFolder) {
    return (await folder.list()).flatMap((file): Trial[] => {
      const record = /^(\d{3})\.hea$/.exec(baseName(file))?.[1];
      return record ? [{ id: record, subject: samePerson[record] ?? record, file, targets: {} }] : [];
    });
  },
};
