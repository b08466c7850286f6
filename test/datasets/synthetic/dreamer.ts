/** A DREAMER.mat in memory: scripts/synthetic-dreamer.mjs with few people, short films. */
import { zlibSync } from 'fflate';
import {
  dreamerVariable,
  matHeader,
  type SyntheticDreamerOptions,
} from '../../../scripts/synthetic-dreamer.mjs';
import { concat } from '../../read/build.ts';

export type { SyntheticDreamerOptions } from '../../../scripts/synthetic-dreamer.mjs';
export { ecgOf, eegOf, plantedIn } from '../../../scripts/synthetic-dreamer.mjs';

export function dreamerBytes(options: SyntheticDreamerOptions, isCompressed = false): Uint8Array {
  const variable = concat(...dreamerVariable(options).pieces());
  if (!isCompressed) return concat(matHeader(), variable);
  const deflated = zlibSync(variable, { level: 1 });
  return concat(matHeader(), new Uint8Array(Uint32Array.of(15, deflated.length).buffer), deflated);
}
