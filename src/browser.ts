/**
 * heartmind in pages and workers: the pure part, and Files, Blobs, URLs and onnxruntime-web.
 *
 *     const recording = await openRecordingBlob(input.files[0], input.files); // a chosen .edf, or .hea with its .dat
 *     const backend = await createWebBackend(); // WebGPU where there is one, else WebAssembly
 */

export * from './index.ts';
export { openRecordingBlob, openRecordingUrl } from './read/file-web.ts';
export { urlSource } from './read/url-source.ts';
export { createWebBackend, type WebBackendOptions } from './runtime/ort-web.ts';
