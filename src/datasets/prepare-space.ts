/** How large a store will be, told by the lengths of some of its recordings before any is prepared. */
import { HeartmindError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { type StorePlan, storedWindowBytes } from '../patches/store-plan.ts';
import type { Trial } from './dataset.ts';
import { type InputOptions, TrialFiles } from './trial-files.ts';

/** Recordings whose lengths are looked at. */
const looked = 32;
/** Rows of the index that a trial and a window take, about. */
const indexBytesEach = 64;

/**
 * Bytes that the trials would take if no window were dropped; those that cannot be read count as the others. `input` is
 * what the user states of all recordings, as in `prepareStore`.
 */
export async function estimateBytes(
  { recipe }: StorePlan,
  trials: readonly Trial[],
  folder: Pick<ByteFolder, 'open'>,
  input: InputOptions = {},
): Promise<number> {
  const step = Math.max(1, Math.floor(trials.length / looked));
  let [windows, seen] = [0, 0];
  for (let i = 0; i < trials.length; i += step) {
    const count = await countWindows(trials[i]!, recipe.window, folder, input);
    if (count === undefined) continue;
    windows += count;
    seen++;
  }
  const each = seen === 0 ? 0 : windows / seen;
  return trials.length * (each * (storedWindowBytes(recipe) + indexBytesEach) + indexBytesEach);
}

async function countWindows(
  trial: Trial,
  { lengthSeconds, stepSeconds }: StorePlan['recipe']['window'],
  folder: Pick<ByteFolder, 'open'>,
  input: InputOptions,
): Promise<number | undefined> {
  const { start = 0, end = Number.POSITIVE_INFINITY } = trial;
  const files = new TrialFiles(folder, input);
  try {
    const recording = await files.open(trial);
    return recording.spans.reduce((sum, span) => {
      const duration = Math.min(end, span.start + span.duration) - Math.max(start, span.start);
      return sum + Math.max(0, Math.floor((duration - lengthSeconds) / stepSeconds) + 1);
    }, 0);
  } catch (error) {
    if (error instanceof HeartmindError) return undefined;
    throw error;
  } finally {
    await files.close();
  }
}
