/** CAP Sleep Database: whole nights of 108 people, healthy or with sleep disorders, stages and cyclic alternating pattern. */
import { appendAll } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { openRecording } from '../read/open.ts';
import { baseName, type PublishedDataset, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import {
  type ScoredEpoch,
  sleepRecipe,
  sleepStage,
  sleepStages,
  sleepTrials,
  stageFact,
} from './sleep-stages.ts';

const { url, download } = physionet('capslpdb', '1.0.0', 40.1e9);

/** By the letters of a record's name. */
const pathologies: Readonly<Record<string, string>> = {
  ...{ n: 'healthy', brux: 'bruxism', ins: 'insomnia', narco: 'narcolepsy' },
  ...{ nfle: 'nocturnal frontal lobe epilepsy', plm: 'periodic leg movements' },
  ...{ rbd: 'REM behaviour disorder', sdb: 'sleep-disordered breathing' },
};

export const cap: PublishedDataset = {
  name: 'cap',
  title: 'CAP Sleep Database',
  licence: 'ODC-BY 1.0',
  url,
  citation:
    'Terzano MG, Parrino L, Sherieri A, et al. Atlas, rules, and recording techniques for the scoring of cyclic alternating pattern (CAP) in human sleep. Sleep Medicine 2(6):537–553 (2001). doi:10.1016/S1389-9457(01)00149-6',
  modalities: ['eeg', 'ecg'],
  targets: { stage: sleepStages, pathology: Object.values(pathologies) },
  defaultTarget: 'stage',
  splits: {},
  recipe: sleepRecipe(['C4-A1'], 50),
  facts: {
    access: 'open',
    how: openAccess,
    subjects: 108,
    recordings: 108,
    signals: [
      {
        kind: 'eeg',
        channels: ['C4-A1'],
        ratesHz: [],
        unit: 'uV',
        note: 'at least three derivations a night, which differ between nights, as do rates and spellings; C4-A1 is the one asked for, and nights without it are left out and counted',
      },
      {
        kind: 'ecg',
        channels: ['ECG'],
        ratesHz: [],
        unit: 'uV',
        note: 'one lead; ECG1-ECG2, EKG and the like are read as ECG',
      },
      { kind: 'other', channels: [], ratesHz: [], unit: '', note: 'EOG, EMG of chin and legs, breath, SaO2' },
    ],
    labels: {
      stage: stageFact,
      pathology: Object.values(pathologies).join(', '),
    },
    layout: [
      { path: '*.edf', what: 'nights', count: 108 },
      {
        path: '*.txt',
        what: 'scoring: stages, and phases A1 to A3 of the cyclic alternating pattern',
        count: 108,
      },
    ],
    download,
    notes: [
      "Stages are Rechtschaffen and Kales'.",
      'The scoring gives times of day; they are counted from the start of the EDF file.',
      'Healthy people are 16 of the 108.',
    ],
  },
  async trials(folder) {
    const files = await folder.list();
    const trials: Trial[] = [];
    for (const file of files) {
      const [, record, letters] =
        /^((brux|ins|narco|nfle|n|plm|rbd|sdb)\d+)\.edf$/.exec(baseName(file)) ?? [];
      const scoring = file.replace(/edf$/, 'txt');
      if (record === undefined || letters === undefined || !files.includes(scoring)) continue;
      const night = { id: `cap ${record}`, subject: `cap ${record}`, file, reader: 'cap' };
      const startSecond = await startOfDay(folder, file);
      const epochs = parseRemLogic(await readLatin1(folder, scoring), startSecond, scoring);
      appendAll(trials, sleepTrials(night, epochs, { pathology: pathologies[letters]! }));
    }
    return trials;
  },
};

const daySeconds = 86_400;

/** Seconds after midnight at which a recording begins, by its own clock. */
async function startOfDay(folder: ByteFolder, file: string): Promise<number> {
  const recording = await openRecording(await folder.open(file));
  const { startTime } = recording;
  await recording.close();
  if (!startTime)
    throw new DataError(
      `cap: ${file} does not say when it begins, so its scoring cannot be placed. Fetch it again.`,
    );
  return startTime.getUTCHours() * 3600 + startTime.getUTCMinutes() * 60 + startTime.getUTCSeconds();
}

/** Scorings are in the code page of the programme that wrote them. */
async function readLatin1(folder: ByteFolder, path: string): Promise<string> {
  const source = await folder.open(path);
  const bytes = await source.read(0, source.byteLength);
  await source.close?.();
  return new TextDecoder('windows-1252').decode(bytes);
}

/**
 * RemLogic's list of events: after a preamble a header of columns separated by tabs (`Sleep Stage`, `Position` in some,
 * `Time [hh:mm:ss]`, `Event`, `Duration[s]`, `Location` in some), then a row an event; times with colons or points.
 * Epochs in seconds from `startSecond` (of the day). DataError where there is no such header.
 */
export function parseRemLogic(text: string, startSecond: number, name: string): ScoredEpoch[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.split('\t').map((cell) => cell.trim()));
  const at = lines.findIndex(
    (cells) => cells.includes('Event') && cells.some((cell) => /^Time\b/i.test(cell)),
  );
  if (at < 0)
    throw new DataError(
      `cap: ${name} has no header with Time and Event, so it is no scoring. Fetch it again.`,
    );
  const header = lines[at]!;
  const timeColumn = header.findIndex((cell) => /^Time\b/i.test(cell));
  const eventColumn = header.indexOf('Event');
  const durationColumn = header.findIndex((cell) => /^Duration/i.test(cell));
  return lines.slice(at + 1).flatMap((cells): ScoredEpoch[] => {
    const event = cells[eventColumn] ?? '';
    const stage = /^SLEEP-/i.test(event) ? sleepStage(event) : undefined;
    const [, hours, minutes, seconds] = /^(\d{1,2})[:.](\d\d)[:.](\d\d)/.exec(cells[timeColumn] ?? '') ?? [];
    const duration = Number(cells[durationColumn] || 30);
    if (stage === undefined || hours === undefined || !(duration > 0)) return [];
    const second = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    // A night goes over midnight; scoring may begin a little before the recording does.
    const after = (second - startSecond + 2 * daySeconds) % daySeconds;
    const start = after > daySeconds - 3600 ? after - daySeconds : after;
    return start + duration <= 0 ? [] : [{ start, duration, targets: { stage } }];
  });
}
