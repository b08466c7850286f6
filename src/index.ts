/** heartmind, the pure part: runs in Node, browsers and workers alike. In the order in which data flow. */
export * from './core/bytes.ts';
export * from './core/errors.ts';
export type { ByteFolder } from './core/folder.ts';
export { Random, type RandomState } from './core/random.ts';
export type { Annotation, Channel, Recording, Span } from './core/recording.ts';
export { type DType, float32, scalar, type Tensor, type Tensors, tensor, zeros } from './core/tensor.ts';
export { microvolts, unitFactor } from './core/units.ts';

export { ptbxl } from './datasets/ecg12.ts';
export { type EdfChannel, type EdfContent, encodeEdf } from './read/edf-write.ts';
export { encodeNpz } from './read/npz.ts';
export { openRecording } from './read/open.ts';
export { resample } from './signal/resample.ts';
