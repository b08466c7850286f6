/**
 * Convolutions as matrix products. A convolution with a small kernel is a product with a matrix that repeats the
 * kernel's values along its diagonals; that matrix is itself kernel × (constant selection of 0s and 1s), so that its
 * gradient is plain products too, which run at full speed where engines have no fast convolution gradient.
 */
import { float32, type Tensor } from '../core/tensor.ts';

/** A 1-D convolution: kernel value k links output o to input i = o·stride − pad + k. */
export interface Convolution {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly pad: number;
}

/**
 * The selection of a convolution: [kernel, outputs · inputs] of 0s and 1s, or [kernel, inputs · outputs] where `order`
 * says so. A kernel as a row times it is the convolution's matrix.
 */
export function selectionMatrix(
  { kernel, inputs, outputs, stride, pad }: Convolution,
  order: 'outputs-inputs' | 'inputs-outputs',
): Tensor<'float32'> {
  const pairs = outputs * inputs;
  const values = new Float32Array(kernel * pairs);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const k = input - output * stride + pad;
      const pair = order === 'outputs-inputs' ? output * inputs + input : input * outputs + output;
      if (k >= 0 && k < kernel) values[k * pairs + pair] = 1;
    }
  }
  return float32([kernel, pairs], values);
}

/** A matrix with its axes exchanged. */
export function transposed({ shape, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [rows, columns] = shape as [number, number];
  return float32(
    [columns, rows],
    Float32Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!),
  );
}

/**
 * The real Fourier transform of `samples` values, divided by their number (norm "forward"), as a matrix
 * [samples, 2 · bins]: real parts, then imaginary parts.
 */
export function fourierMatrix(samples: number): Tensor<'float32'> {
  const bins = samples / 2 + 1;
  const values = new Float32Array(samples * 2 * bins);
  for (let t = 0; t < samples; t++) {
    for (let bin = 0; bin < bins; bin++) {
      // The angle is reduced first: sin(2π·k) is exactly 0 for whole k.
      const angle = (2 * Math.PI * ((t * bin) % samples)) / samples;
      values[t * 2 * bins + bin] = Math.cos(angle) / samples;
      values[t * 2 * bins + bins + bin] = -Math.sin(angle) / samples;
    }
  }
  return float32([samples, 2 * bins], values);
}
