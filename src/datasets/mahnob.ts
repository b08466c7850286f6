/**
 * MAHNOB-HCI, the emotion experiment: EEG, ECG and more of people who watched 20 videos. A folder a video and person:
 * a BDF file and session.xml. Changes of the Status channel mark where the video begins and ends; half a minute of
 * each side is there. Structure: the database's manual, and Soleymani et al. 2012.
 */
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { openRecording } from '../read/open.ts';
import { selectRecording } from '../signal/select.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { genevaElectrodes } from './deap.ts';
import { baseName, readText } from './folder-text.ts';
import { type RatingOptions, ratingFacts, ratingLabels, ratingTargets, ratingValues } from './ratings.ts';
import type { TrialReader } from './trial-files.ts';
import { present } from './trial-values.ts';

const rateHz = 256;
/** Before and after the video. */
const paddingSeconds = 30;

/** Attributes of session.xml, in the order of `ratings`. */
const attributes = ['feltVlnc', 'feltArsl', 'feltCtrl', 'feltPred'];
const ratings = ['valence', 'arousal', 'control', 'predictability'];

/** feltEmo → keyword; 7 to 10 are not among the experiment's nine. */
const emotions: Readonly<Record<string, string>> = {
  ...{ 0: 'neutral', 1: 'anger', 2: 'disgust', 3: 'fear', 4: 'joy', 5: 'sadness', 6: 'surprise' },
  ...{ 11: 'amusement', 12: 'anxiety' },
};

/** The dataset with another threshold of its ratings. */
export function mahnobWith({ threshold = 5 }: RatingOptions = {}): PublishedDataset {
  return {
    name: 'mahnob',
    title: 'MAHNOB-HCI: a multimodal database for affect recognition and implicit tagging',
    licence: 'for academic research, by a signed agreement with its authors',
    url: 'https://mahnob-db.eu/hci-tagging/',
    citation:
      'Soleymani M, Lichtenauer J, Pun T, Pantic M. A Multimodal Database for Affect Recognition and Implicit Tagging. IEEE Trans. Affective Computing 3(1):42–55 (2012). doi:10.1109/T-AFFC.2011.25',
    modalities: ['eeg', 'ecg'],
    targets: { ...ratingTargets(ratings), emotion: Object.values(emotions).sort(), sex: ['female', 'male'] },
    defaultTarget: 'valence',
    labels: ratingLabels(ratings),
    splits: {},
    recipe: parseRecipe({
      version: 1,
      signals: {
        eeg: { channels: [...genevaElectrodes], lowHz: 0.5, highHz: 45, scaleMicrovolts: 100 },
        ecg: { channels: ['EXG2-EXG1', 'EXG3-EXG1'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 1000 },
      },
      window: { lengthSeconds: 5, stepSeconds: 5 },
    }),
    facts: {
      access: 'request',
      how: 'Register on its page and send the signed agreement; a permanent member of academic staff has to sign. Fetch the physiological files of the emotion elicitation as Sessions.',
      applyUrl: 'https://mahnob-db.eu/hci-tagging/',
      subjects: 30,
      signals: [
        {
          ...{ kind: 'eeg', channels: genevaElectrodes, ratesHz: [rateHz], unit: 'uV' },
          note: 'BioSemi, each against CMS: take a reference before you interpret it',
        },
        {
          ...{ kind: 'ecg', channels: ['EXG1', 'EXG2', 'EXG3'], ratesHz: [rateHz], unit: 'uV' },
          note: 'each against CMS: leads are differences; upper right of the chest, upper left, left side of the abdomen',
        },
        {
          ...{ kind: 'other', channels: ['GSR1', 'Resp', 'Temp', 'Status'], ratesHz: [rateHz], unit: '' },
          note: 'skin conductance, breath, temperature, triggers',
        },
      ],
      labels: {
        ...ratingFacts(ratings, '1–9', threshold),
        emotion:
          'the keyword that the person chose: neutral, anger, disgust, fear, joy, sadness, surprise, amusement, anxiety; others are left out',
        sex: 'female, male, where session.xml says so',
      },
      layout: [
        { path: '**/*.bdf', what: 'a person and video' },
        { path: '**/session.xml', what: 'who watched what, and felt how' },
      ],
      notes: [
        'A trial is the video alone: from the first change of the Status channel to the last. Without triggers, 30 s are left out at both ends, and the log says so.',
        'Only sessions with feltArsl in session.xml are trials: those of the emotion experiment.',
        'The database has 27 whole people: its authors lost or miss data of 3 of 30.',
        'Videos are the same for all people: leave videos out too (trial.stimulus).',
        'Some documentation speaks of 512 Hz; rates are read from each file.',
      ],
    },
    trials: (folder) => listTrials(folder, threshold),
  };
}

export const mahnob: PublishedDataset = mahnobWith();

async function listTrials(folder: ByteFolder, threshold: number): Promise<Trial[]> {
  const files = await folder.list();
  const signals = new Map<string, string>();
  for (const file of files)
    if (/\.bdf$/i.test(file) && !signals.has(folderOf(file))) signals.set(folderOf(file), file);
  const trials: Trial[] = [];
  for (const sheet of files.filter((path) => baseName(path) === 'session.xml')) {
    const file = signals.get(folderOf(sheet));
    if (file === undefined) continue;
    const text = await readText(folder, sheet);
    const session = attributesOf(text, 'session');
    const person = attributesOf(text, 'subject');
    if (!session.has('feltArsl') || !person.has('id')) continue;
    const subject = `s${person.get('id')!.padStart(2, '0')}`;
    const video = session.get('mediaFile') ?? 'unknown';
    trials.push({
      id: `${subject} ${video} ${folderOf(sheet)}`.trim(),
      ...{ subject, file, reader: 'mahnob', stimulus: video },
      targets: {
        ...ratingValues(
          ratings,
          attributes.map((name) => Number(session.get(name) ?? Number.NaN)),
          { threshold, low: 1, high: 9 },
        ),
        ...present({
          emotion: Object.hasOwn(emotions, session.get('feltEmo') ?? '')
            ? emotions[session.get('feltEmo')!]
            : undefined,
          sex: { m: 'male', f: 'female' }[(person.get('gender') ?? '').charAt(0).toLowerCase()],
        }),
      },
    });
  }
  return trials;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Attributes of the first element of that name. */
function attributesOf(xml: string, element: string): Map<string, string> {
  const [, inside = ''] = new RegExp(`<${element}\\s([^>]*)>`).exec(xml) ?? [];
  return new Map(
    [...inside.matchAll(/([\w:-]+)\s*=\s*"([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
  );
}

/** Opens a session: the video alone. */
export const openMahnob: TrialReader = async (source) => {
  const whole = await openRecording(source);
  const times = whole.annotations
    .filter(({ label }) => label.startsWith('trigger '))
    .map(({ start }) => start);
  const [start, end] = [times[0] ?? 0, times.at(-1) ?? 0];
  const isMarked = end - start >= 1;
  const [from, to] = isMarked
    ? [start, end]
    : [paddingSeconds, Math.max(paddingSeconds, whole.duration - paddingSeconds)];
  const video = selectRecording(whole, { start: from, end: to });
  const log = isMarked
    ? []
    : [
        `mahnob: no triggers mark where the video begins and ends; ${paddingSeconds} s were left out at both ends.`,
      ];
  const recording = { ...video, log: [...video.log, ...log] };
  return { open: async () => ({ ...recording, close: async () => undefined }), close: () => whole.close() };
};
