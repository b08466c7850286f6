/** heartmind in Node: the pure part, and files, folders and onnxruntime-node. */

export { writeFileAtomically } from './core/output-node.ts';
export { openFolder } from './datasets/folder-node.ts';
export { sampleDataFolder } from './datasets/sample-node.ts';
export * from './index.ts';
export { readReleased, releasedIndex } from './model/released-weights-node.ts';
export { folderFiles, folderPlace } from './patches/store-node.ts';
export { fileSource, openRecordingFile } from './read/file-node.ts';
export { type FollowOptions, followRecording } from './read/live/follow-node.ts';
export { type LslOptions, lslSource } from './read/live/lsl-node.ts';
export { detectLaunch, type Launch } from './runtime/launch.ts';
export { type Mpi, type OpenMpiOptions, openMpi } from './runtime/mpi-node.ts';
export { createNodeBackend, type NodeBackendOptions } from './runtime/ort-node.ts';
export { folderStore } from './train/checkpoint-node.ts';
export { folderMetricsLog, readMetrics } from './train/metrics-log-node.ts';
