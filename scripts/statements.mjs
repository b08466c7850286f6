/**
 * Sentences of the documents that depend on figures: which row is the highest, which differences the intervals and tests
 * show. Written from results/*.json between the same marks as tables, so that no word outlives its figure.
 */
import { ecgStatements } from './statements-ecg.mjs';
import { eegmatStatements } from './statements-eegmat.mjs';

/** By name of the block; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const statements = { ...eegmatStatements, ...ecgStatements };
