/** Sets of 12-lead ECGs: PTB-XL, LUDB and folders in the layout of the PhysioNet Challenges 2020/2021. */
import type { ByteFolder } from '../core/folder.ts';
import { twelveLeadRecipe } from '../patches/recipe.ts';
import { parseCsv } from './csv.ts';
import { baseName, type DatasetSpec, readText, type Trial } from './dataset.ts';

const superclasses = ['NORM', 'MI', 'STTC', 'CD', 'HYP'] as const;

export const ptbxl: DatasetSpec = {
  name: 'ptbxl',
  title: 'PTB-XL, a large publicly available electrocardiography dataset',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/ptb-xl/1.0.3/',
  citation:
    'Wagner P, Strodthoff N, Bousseljot R-D, et al. PTB-XL, a large publicly available electrocardiography dataset. Scientific Data 7:154 (2020). doi:10.1038/s41597-020-0495-6',
  modalities: ['ecg'],
  // A record may have several super-classes: `superclass` is set where it has exactly one.
  targets: { superclass: superclasses, sex: ['male', 'female'] },
  splits: {},
  recipe: twelveLeadRecipe,
  async trials(folder: ByteFolder) {
    const files = new Set(await folder.list());
    const statements = parseCsv(await readText(folder, 'scp_statements.csv'), 'scp_statements.csv');
    const codeColumn = statements.columns[0]!;
    const classOf = new Map(
      statements.rows
        .filter(({ fields }) => Number(fields.diagnostic) === 1)
        .map(({ fields }) => [fields[codeColumn]!, fields.diagnostic_class!]),
    );
    const { rows } = parseCsv(await readText(folder, 'ptbxl_database.csv'), 'ptbxl_database.csv');
    return rows.flatMap(({ fields }): Trial[] => {
      const file = `${fields.filename_hr}.hea`;
      if (!files.has(file)) return [];
      // The column is a Python dictionary: {'NORM': 100.0, 'SR': 0.0}.
      const codes = [...(fields.scp_codes ?? '').matchAll(/'([^']+)':/g)].map((match) => match[1]!);
      const found = new Set(codes.flatMap((code) => classOf.get(code) ?? []));
      const targets: Record<string, string | number> = {
        fold: Number(fields.strat_fold),
        age: Number(fields.age),
      };
      if (found.size === 1) targets.superclass = [...found][0]!;
      for (const name of superclasses) targets[name] = Number(found.has(name));
      if (fields.sex === '0' || fields.sex === '1') targets.sex = fields.sex === '0' ? 'male' : 'female';
      return [{ id: `ptbxl ${fields.ecg_id}`, subject: `ptbxl ${Number(fields.patient_id)}`, file, targets }];
    });
  },
};

export const ludb: DatasetSpec = {
  name: 'ludb',
  title: 'Lobachevsky University Electrocardiography Database',
  licence: 'ODC-BY 1.0',
  url: 'https://physionet.org/content/ludb/1.0.1/',
  citation:
    'Kalyakulina AI, Yusipov II, Moskalenko VA, et al. LUDB: A New Open-Access Validation Tool for Electrocardiogram Delineation Algorithms. IEEE Access 8:186181 (2020). doi:10.1109/ACCESS.2020.3029211',
  modalities: ['ecg'],
  targets: { sex: ['M', 'F'], rhythm: ['sinus', 'other'] },
  splits: {},
  recipe: twelveLeadRecipe,
  async trials(folder: ByteFolder) {
    const files = new Set(await folder.list());
    const { rows } = parseCsv(await readText(folder, 'ludb.csv'), 'ludb.csv');
    return rows.flatMap(({ fields }): Trial[] => {
      const id = fields.ID!;
      const file = `data/${id}.hea`;
      if (!files.has(file)) return [];
      const targets: Record<string, string | number> = { sex: fields.Sex!, age: Number(fields.Age) };
      if (fields.Rhythms) targets.rhythm = /^Sinus rhythm/i.test(fields.Rhythms) ? 'sinus' : 'other';
      return [{ id: `ludb ${id}`, subject: `ludb ${id}`, file, targets }];
    });
  },
};

export const cinc2021: DatasetSpec = {
  name: 'cinc2021',
  title: 'PhysioNet/Computing in Cardiology Challenge 2021, or any folder in its layout',
  licence: 'CC BY 4.0 for most sources; see each',
  url: 'https://physionet.org/content/challenge-2021/1.0.3/',
  citation:
    'Reyna MA, Sadr N, Perez Alday EA, et al. Will Two Do? Varying Dimensions in Electrocardiography: The PhysioNet/Computing in Cardiology Challenge 2021. CinC 48 (2021).',
  modalities: ['ecg'],
  targets: { sex: ['Male', 'Female'] },
  splits: {},
  recipe: twelveLeadRecipe,
  async trials(folder: ByteFolder) {
    const headers = (await folder.list()).filter((file) => file.endsWith('.hea'));
    const trials: Trial[] = [];
    for (const file of headers) {
      const comments = new Map(
        [...(await readText(folder, file)).matchAll(/^#[ \t]*(\w+):[ \t]*(.*?)[ \t\r]*$/gm)].map((match) => [
          match[1]!,
          match[2]!,
        ]),
      );
      const targets: Record<string, string | number> = {};
      // Several SNOMED CT codes a record, separated by commas.
      if (comments.has('Dx')) targets.diagnoses = comments.get('Dx')!;
      if (/^(Male|Female)$/.test(comments.get('Sex') ?? '')) targets.sex = comments.get('Sex')!;
      if (Number(comments.get('Age')) > 0) targets.age = Number(comments.get('Age'));
      const id = baseName(file).replace(/\.hea$/, '');
      // One recording a person, as far as the challenge tells.
      trials.push({ id, subject: id, file, targets });
    }
    return trials;
  },
};
