// An encoder as one ONNX file that any ONNX Runtime runs. Run: node examples/06-export-to-onnx.mjs [weights] [out.onnx]
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { decodeOnnx, exportEncoder, loadEncoderWeights } from 'heartmind';
import { createNodeBackend, readReleased } from 'heartmind/node';

const [weights, out] = process.argv.slice(2);
const bytes = weights
  ? readFileSync(weights) // .safetensors or .pth, official or braindecode names
  : await readReleased('eeg-4');
const { tensors, layers, naming } = loadEncoderWeights(bytes, weights ?? 'eeg-4');
const onnx = exportEncoder(tensors, { channels: 19, patches: 10 });
console.log(`${layers} layers (${naming} names) → ${onnx.length} bytes of ONNX`);
const { graph, metadata } = decodeOnnx(onnx);
console.log(
  `inputs ${graph.inputs.map(({ name }) => name)}, outputs ${[...graph.outputs.keys()]}, config ${metadata['heartmind.config']}`,
);

const program = await (await createNodeBackend()).compile(onnx); // or onnxruntime in Python, C++, Swift, …
const { embedding } = await program.run({
  patches: {
    dtype: 'float32',
    shape: [1, 19, 10, 200],
    data: new Float32Array(19 * 10 * 200).map(() => Math.random() - 0.5),
  },
  mask: { dtype: 'bool', shape: [1, 19, 10], data: new Uint8Array(190) },
});
console.log(`embedding [${embedding.shape.join(', ')}]`);
assert.deepEqual(embedding.shape, [1, 19, 10, 200]);
assert.ok(embedding.data.every(Number.isFinite));
if (out) writeFileSync(out, onnx);
