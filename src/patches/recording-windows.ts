/** One recording → its windows, for prediction and embedding: the same path that training takes. */
import type { Recording } from '../core/recording.ts';
import type { MayLack } from './lenient-montage.ts';
import type { Recipe } from './recipe.ts';
import { type EarlierRecordings, prepareInSession } from './session.ts';
import { WindowSetBuilder } from './window-set.ts';
import type { WindowSet } from './windows.ts';

export interface RecordingWindowsOptions {
  /** Seconds of the recording to take; all by default. */
  readonly start?: number;
  readonly end?: number;
  /** From one window's start to the next's; the recipe's by default. */
  readonly stepSeconds?: number;
  /** What the recording may lack: those samples are NaN, and said in `dropped`. */
  readonly mayLack?: MayLack;
  /** What came before it in its session; none by default. Contexts reach back there where the recipe says so. */
  readonly earlier?: EarlierRecordings;
}

/**
 * Prepare a recording and cut it into windows. Windows that the recipe drops are counted in `dropped`. ChannelError
 * where the montage does not fit, DataError where no window is left.
 */
export async function recordingWindows(
  recording: Recording,
  recipe: Recipe,
  { stepSeconds, mayLack, ...range }: RecordingWindowsOptions = {},
): Promise<WindowSet> {
  const used = stepSeconds === undefined ? recipe : { ...recipe, window: { ...recipe.window, stepSeconds } };
  const builder = new WindowSetBuilder(used, [], mayLack);
  const name = recording.source;
  const prepared = await prepareInSession(recording, used, { ...range, name, mayLack });
  builder.add(prepared, { subject: name, trial: name });
  return builder.finish();
}
