/** MIT-BIH Arrhythmia Database: two leads, 30 min, every beat annotated. As whole records, or cut at its beats. */
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { readWfdbAnnotations } from '../read/wfdb/annotations.ts';
import { baseName, type PublishedDataset, readText, type Trial } from './dataset.ts';
import type { DatasetFacts } from './facts.ts';
import type { Fold } from './folds.ts';
import { openAccess, physionet } from './physionet.ts';
import { numberIn, present } from './trial-values.ts';

const { url, download } = physionet('mitdb', '1.0.0', 104e6);
const rateHz = 360;

/** AAMI EC57's classes of beats, by the symbols of the annotation files. */
export const aamiClasses: Readonly<Record<string, 'N' | 'S' | 'V' | 'F' | 'Q'>> = {
  ...{ N: 'N', L: 'N', R: 'N', e: 'N', j: 'N' },
  ...{ A: 'S', a: 'S', J: 'S', S: 'S' },
  ...{ V: 'V', E: 'V', F: 'F' },
  ...{ '/': 'Q', f: 'Q', Q: 'Q' },
};

/** Records 201 and 202 are of one person. */
const samePerson: Readonly<Record<string, string>> = { '202': '201' };
const personOf = (record: string) => samePerson[record] ?? record;

const words = (text: string) => text.split(' ');

/** De Chazal, O'Dwyer and Reilly (IEEE TBME 51(7), 2004): DS1 to train, DS2 to test. */
export const deChazal = {
  ds1: words('101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230'),
  ds2: words('100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234'),
  /** AAMI EC57 leaves paced records out. */
  paced: words('102 104 107 217'),
};

/** Records of DS1 that choose the model, where one is to be chosen; ours, the last four: the publication has none. */
const validating = ['215', '220', '223', '230'];

const people = (records: readonly string[]) => [...new Set(records.map(personOf))];
const splits: Readonly<Record<string, Fold>> = {
  'inter-patient': {
    name: 'inter-patient',
    train: people(deChazal.ds1.filter((record) => !validating.includes(record))),
    validation: validating,
    // 202 is of the person of 201, who is trained on.
    test: deChazal.ds2.filter((record) => !(record in samePerson)),
  },
};

const citation =
  'Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45–50 (2001). doi:10.1109/51.932724';

const facts: DatasetFacts = {
  access: 'open',
  how: openAccess,
  subjects: 47,
  recordings: 48,
  signals: [
    {
      kind: 'ecg',
      channels: ['MLII', 'V1'],
      ratesHz: [rateHz],
      unit: 'mV',
      note: 'Two leads of 30 min, WFDB format 212, 11 bits. Most records have MLII and V1; some have V2, V4 or V5, and 102 and 104 have no MLII: such records are left out and counted unless the recipe asks for what they have',
    },
  ],
  labels: {
    beat: "AAMI EC57's class of the beat: N (normal, bundle branch block, escape), S (supraventricular ectopic), V (ventricular ectopic), F (fusion), Q (paced, unknown)",
    symbol: 'as annotated: N L R e j A a J S V E F / f Q',
    sex: 'M, F',
    age: 'years',
  },
  layout: [
    { path: '*.hea', what: 'headers', count: 48 },
    { path: '*.dat', what: 'signals', count: 48 },
    { path: '*.atr', what: 'beats and rhythms', count: 48 },
  ],
  download,
  notes: [
    "Split `inter-patient`: de Chazal's DS1 and DS2 (44 records; the paced 102, 104, 107 and 217 left out), with two changes. Record 202 stands in DS2 but is of the person of 201 in DS1, so it stays with that person, in training. And 215, 220, 223 and 230 of DS1 choose the model, for which DS1 has no part of its own.",
    'Numbers published for DS1/DS2 test on 202 as well.',
  ],
};

/** Lines of the header: `# 69 M 1085 1629 x1`. */
async function demography(folder: ByteFolder, file: string): Promise<Record<string, string | number>> {
  const [, age, sex] = /^#\s*(-?\d+)\s+([MF])\b/m.exec(await readText(folder, file)) ?? [];
  const years = numberIn(age);
  return present({ sex, age: years !== undefined && years > 0 ? years : undefined });
}

async function records(folder: ByteFolder): Promise<{ record: string; file: string }[]> {
  return (await folder.list()).flatMap((file) => {
    const record = /^(\d{3})\.hea$/.exec(baseName(file))?.[1];
    return record ? [{ record, file }] : [];
  });
}

export const mitdb: PublishedDataset = {
  name: 'mitdb',
  title: 'MIT-BIH Arrhythmia Database',
  licence: 'ODC-BY 1.0',
  url,
  citation,
  modalities: ['ecg'],
  targets: { sex: ['F', 'M'] },
  labels: { age: { kind: 'number', unit: 'years' } },
  splits,
  recipe: parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['MLII', 'V1'], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 } },
    window: { lengthSeconds: 10, stepSeconds: 10 },
  }),
  facts,
  async trials(folder) {
    const trials: Trial[] = [];
    for (const { record, file } of await records(folder))
      trials.push({ id: record, subject: personOf(record), file, targets: await demography(folder, file) });
    return trials;
  },
};

/** A beat's window: this much before its R peak, and one second in all. */
const beforePeak = 0.4;
const beatSeconds = 1;

export const mitdbBeats: PublishedDataset = {
  ...mitdb,
  name: 'mitdb-beats',
  title: 'MIT-BIH Arrhythmia Database, a second around every beat',
  targets: { beat: ['N', 'S', 'V', 'F', 'Q'], sex: ['F', 'M'] },
  defaultTarget: 'beat',
  recipe: parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['MLII'], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 } },
    window: { lengthSeconds: beatSeconds, stepSeconds: beatSeconds, dropFlat: false },
  }),
  facts: {
    ...facts,
    notes: [
      ...facts.notes!,
      'A trial is the second from 0.4 s before an annotated beat; beats closer to a record’s ends are left out. Each is filtered by itself.',
    ],
  },
  async trials(folder) {
    const trials: Trial[] = [];
    for (const { record, file } of await records(folder)) {
      const targets = await demography(folder, file);
      const length = await recordSeconds(folder, file);
      for (const [number, { time, symbol }] of (await beatsOf(folder, file)).entries()) {
        const start = time - beforePeak;
        if (start < 0 || start + beatSeconds > length) continue;
        trials.push({
          id: `${record} beat ${number + 1}`,
          subject: personOf(record),
          file,
          start,
          end: start + beatSeconds,
          targets: { beat: aamiClasses[symbol]!, symbol, ...targets },
        });
      }
    }
    return trials;
  },
};

/** Annotated beats of a record, rhythm and noise marks left out. */
async function beatsOf(folder: ByteFolder, file: string): Promise<{ time: number; symbol: string }[]> {
  const source = await folder.open(file.replace(/hea$/, 'atr'));
  try {
    return (await readWfdbAnnotations(source, rateHz)).flatMap(({ start, label }) => {
      const symbol = label.split(' ')[0]!;
      return Object.hasOwn(aamiClasses, symbol) ? [{ time: start, symbol }] : [];
    });
  } finally {
    await source.close?.();
  }
}

/** `100 2 360 650000` → 1805.6 s; unknown lengths end nowhere. */
async function recordSeconds(folder: ByteFolder, file: string): Promise<number> {
  const [, samples] = /^[^#\s]\S*\s+\d+\s+[\d.]+\S*\s+(\d+)/m.exec(await readText(folder, file)) ?? [];
  return samples ? Number(samples) / rateHz : Number.POSITIVE_INFINITY;
}
