// An encoder as one ONNX file that any ONNX Runtime runs. Run: node examples/06-export-to-onnx.mjs [weights] [out.onnx]
import { readFileSync, writeFileSync } from 'node:fs';
import {
  decodeOnnx,
  encoderConfig,
  encodeSafetensors,
  exportEncoder,
  initialEncoder,
  loadEncoderWeights,
} from 'heartmind';
import { createNodeBackend } from 'heartmind/node';

const [weights, out] = process.argv.slice(2);
const bytes = weights
  ? readFileSync(weights) // .safetensors or .pth, official or braindecode names
  : encodeSafetensors(initialEncoder(encoderConfig({ layers: 2 }), 0));
const { tensors, layers, naming } = loadEncoderWeights(bytes, weights ?? 'untrained');
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
if (out) writeFileSync(out, onnx);
