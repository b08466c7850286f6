/** What a model can do without when it predicts. */
import { ConfigError } from '../core/errors.ts';
import type { MayLack } from '../patches/lenient-montage.ts';
import type { ModelConfig } from './config.ts';

export const missingChannelsKinds = ['refuse', 'drop'] as const;

export interface LackingOptions {
  /**
   * Channels that a recording lacks or that are of no use in a window: `refuse` the recording and leave out the window, or
   * `drop` the channels and predict from the others. Default: drop for a model that was trained to do without a modality,
   * else refuse.
   */
  readonly missingChannels?: (typeof missingChannelsKinds)[number] | undefined;
}

/** What the model may lack under these options. ConfigError for a head that needs every channel. */
export function mayLack({ head, nullEmbeddings }: ModelConfig, { missingChannels }: LackingOptions): MayLack {
  if (missingChannels === 'drop' && head.kind === 'all-patches')
    throw new ConfigError(
      'missingChannels: drop, and the head all-patches takes each channel. Choose refuse, or train the head linear or mlp.',
      'missingChannels',
      'refuse',
    );
  if ((missingChannels ?? (nullEmbeddings ? 'drop' : 'refuse')) === 'refuse') return undefined;
  return nullEmbeddings ? 'modality' : 'channels';
}
