/**
 * What came before a trial's recording in its person's session: the order is the dataset's (`Trial.session`), and where it
 * says nothing, a recording is a session of its own. Nothing is guessed from names or from the order of files.
 */
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import type { Recording } from '../core/recording.ts';
import type { EarlierRecordings } from '../patches/session.ts';
import type { Trial } from './dataset.ts';
import { type InputOptions, type TrialFile, TrialFiles, trialFileOf } from './trial-files.ts';

/** A recording's place in its person's session. */
export interface SessionPlace {
  /** Recordings of one person and one name follow one another. */
  readonly name: string;
  /** Ascending; nothing but the order counts. */
  readonly order: number;
}

type SessionTrial = Pick<Trial, 'id' | 'subject' | 'session'> & TrialFile;

/** A trial's earlier recordings, the latest first. */
export type EarlierFilesOf = (trial: SessionTrial) => readonly TrialFile[];

function recordingKey({ file, part = '' }: TrialFile): string {
  return `${file}\n${part}`;
}

function sessionName({ subject, session }: SessionTrial): string {
  return session!.name === '' ? `session of ${subject}` : `session ${session!.name} of ${subject}`;
}

/**
 * The recordings of each trial's session that came before its own, the latest first. DataError where two recordings of a
 * session have one place, or one recording has two.
 */
export function earlierFiles(trials: readonly SessionTrial[]): EarlierFilesOf {
  const sessions = new Map<string, Map<string, { readonly order: number; readonly trial: SessionTrial }>>();
  const keyOf = ({ subject, session }: SessionTrial) => `${subject}\n${session!.name}`;
  for (const trial of trials) {
    if (!trial.session) continue;
    const { order } = trial.session;
    const recordings = sessions.get(keyOf(trial)) ?? new Map();
    sessions.set(keyOf(trial), recordings);
    const known = recordings.get(recordingKey(trial));
    if (known && known.order !== order)
      throw new DataError(
        `${sessionName(trial)}: ${trial.file} stands at ${known.order} and at ${order}. Give a recording one place.`,
      );
    recordings.set(recordingKey(trial), known ?? { order, trial });
  }
  const sorted = new Map<string, { readonly order: number; readonly trial: SessionTrial }[]>();
  for (const [key, recordings] of sessions) {
    const list = [...recordings.values()].sort((a, b) => a.order - b.order);
    const twin = list.findIndex(({ order }, i) => list[i + 1]?.order === order);
    if (twin >= 0) {
      const [one, other] = [list[twin]!, list[twin + 1]!];
      throw new DataError(
        `${sessionName(one.trial)}: ${one.trial.id} and ${other.trial.id} both stand at ${one.order}. Give each recording its place.`,
      );
    }
    sorted.set(key, list);
  }
  return (trial) => {
    if (!trial.session) return [];
    const { order } = trial.session;
    const before = sorted.get(keyOf(trial))!.filter((one) => one.order < order);
    return before.toReversed().map(({ trial: earlier }) => trialFileOf(earlier));
  };
}

/** Opens earlier recordings beside the one that is being read. */
export class EarlierFiles {
  readonly #files: TrialFiles;

  constructor(folder: Pick<ByteFolder, 'open'>, options: InputOptions = {}) {
    this.#files = new TrialFiles(folder, options);
  }

  /** To be read by `prepareInSession`. */
  of(files: readonly TrialFile[]): EarlierRecordings {
    const opened = this.#files;
    return async function* (): AsyncGenerator<Recording> {
      for (const file of files) yield await opened.open(file);
    };
  }

  close(): Promise<void> {
    return this.#files.close();
  }
}
