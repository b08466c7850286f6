/** EEGMAT: EEG and ECG of 36 people at rest and in mental arithmetic. Facts from PhysioNet and from CBraMod's split. */
import type { ByteFolder } from '../core/folder.ts';
import { eegmatRecipe } from '../patches/recipe.ts';
import { baseName, type DatasetSpec, type Trial } from './dataset.ts';

const subjects = Array.from({ length: 36 }, (_, i) => `Subject${String(i).padStart(2, '0')}`);

export const eegmat: DatasetSpec = {
  name: 'eegmat',
  title: 'EEG During Mental Arithmetic Tasks',
  licence: 'ODC-BY 1.0',
  url: 'https://physionet.org/content/eegmat/1.0.0/',
  citation:
    'Zyma I, Tukaev S, Seleznov I, et al. Electroencephalograms during Mental Arithmetic Task Performance. Data 4(1):14 (2019). doi:10.3390/data4010014',
  modalities: ['eeg', 'ecg'],
  targets: { task: ['rest', 'arithmetic'] },
  splits: {
    // CBraMod's "MentalArithmetic": files sorted, first 28 people, next 4, last 4.
    published: {
      name: 'published',
      train: subjects.slice(0, 28),
      validation: subjects.slice(28, 32),
      test: subjects.slice(32),
    },
  },
  recipe: eegmatRecipe,
  async trials(folder: ByteFolder) {
    const files = await folder.list();
    return files.flatMap((file): Trial[] => {
      // Subject00_1.edf: at rest; Subject00_2.edf: subtracting serially.
      const match = /^(Subject\d\d)_([12])\.edf(\.gz)?$/.exec(baseName(file));
      if (!match) return [];
      const [, subject, part] = match as unknown as [string, string, string];
      return [
        { id: `${subject}_${part}`, subject, file, targets: { task: part === '1' ? 'rest' : 'arithmetic' } },
      ];
    });
  },
};
