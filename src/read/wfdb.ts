import type { ByteSource } from '../core/bytes.ts';
import { UnsupportedError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
export async function openWfdb(_source: ByteSource, _options = {}): Promise<Recording> {
  throw new UnsupportedError('wfdb', 'wfdb');
}
