/**
 * What a model learns, as data: name, shape and initial distribution of every parameter; and drawing the initial values
 * from a seeded generator.
 */
import { FormatError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { float32, sizeOf, type Tensor, type Tensors } from '../core/tensor.ts';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: 'zeros' | 'ones' | { readonly uniform: number } | { readonly normal: number };
  /** Never trained: the mask token. */
  readonly frozen?: true;
}

export type FloatTensors = Map<string, Tensor<'float32'>>;

/** Initial values of all parameters, drawn in order: the same seed gives the same values. */
export function initialParameters(specs: readonly ParameterSpec[], random: Random): FloatTensors {
  return new Map(
    specs.map(({ name, shape, initial }) => [name, float32(shape, draw(shape, initial, random))]),
  );
}

function draw(shape: readonly number[], initial: ParameterSpec['initial'], random: Random): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (initial === 'zeros') return values;
  if (initial === 'ones') return values.fill(1);
  const next =
    'uniform' in initial
      ? () => (2 * random.uniform() - 1) * initial.uniform
      : () => random.normal() * initial.normal;
  return values.map(next);
}

/** A linear layer's parameters: weight [out, in] and bias [out]. */
export function linearParameters(
  name: string,
  inputs: number,
  outputs: number,
  weight?: ParameterSpec['initial'],
): ParameterSpec[] {
  // PyTorch's nn.Linear: both uniform within 1/√inputs.
  const uniform = 1 / Math.sqrt(inputs);
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], initial: weight ?? { uniform } },
    { name: `${name}.bias`, shape: [outputs], initial: { uniform } },
  ];
}

/** A normalisation's parameters: scale 1, shift 0. */
export function normParameters(name: string, size: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [size], initial: 'ones' },
    { name: `${name}.bias`, shape: [size], initial: 'zeros' },
  ];
}

/** The same parameters under a prefix: `eeg.` + `proj_out.0.bias`. */
export function prefixed(prefix: string, specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.map((spec) => ({ ...spec, name: prefix + spec.name }));
}

/** The tensors whose names begin with the prefix, without it. */
export function withoutPrefix<T extends Tensor>(
  tensors: ReadonlyMap<string, T>,
  prefix: string,
): Map<string, T> {
  return new Map(
    [...tensors]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/**
 * Fit tensors to a model: exactly the parameters that it has, in its order, as float32. FormatError lists all keys that
 * are missing, left over or of another shape, or names a tensor with values that are not finite; `name` is the file, for
 * the message.
 */
export function fitParameters(tensors: Tensors, specs: readonly ParameterSpec[], name: string): FloatTensors {
  const known = new Set(specs.map((spec) => spec.name));
  const missing = specs.filter((spec) => !tensors.has(spec.name)).map((spec) => spec.name);
  const extra = [...tensors.keys()].filter((key) => !known.has(key));
  const misshapen = specs.flatMap((spec) => {
    const found = tensors.get(spec.name);
    if (found === undefined || found.shape.join() === spec.shape.join()) return [];
    return [`${spec.name} [${found.shape}] instead of [${spec.shape}]`];
  });
  const wrongType = specs.flatMap((spec) => {
    const dtype = tensors.get(spec.name)?.dtype;
    return dtype === undefined || dtype === 'float32' || dtype === 'float64'
      ? []
      : [`${spec.name} of ${dtype}`];
  });
  const facts = [
    { what: 'missing', keys: missing },
    { what: 'left over', keys: extra },
    { what: 'of the wrong shape', keys: misshapen },
    { what: 'not floating-point', keys: wrongType },
  ].filter(({ keys }) => keys.length > 0);
  if (facts.length > 0) {
    const list = facts.map(({ what, keys }) => `${keys.length} ${what} (${keys.join(', ')})`).join('; ');
    throw new FormatError(
      `${name}: of ${specs.length} tensors expected: ${list}. Choose the weights of this model.`,
      name,
    );
  }
  return new Map(
    specs.map(({ name: key, shape }) => {
      const values = float32(shape, tensors.get(key)!.data as Float32Array);
      checkFinite(key, values.data, name);
      return [key, values];
    }),
  );
}

/** One NaN in a weight is a NaN in every prediction, and an infinite one a class that is certain. */
function checkFinite(key: string, data: Float32Array, name: string): void {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) count++;
  if (count === 0) return;
  const first = data.findIndex((value) => !Number.isFinite(value));
  throw new FormatError(
    `${name}: ${count} of ${data.length} values of '${key}' are no finite numbers (the first is ${data[first]} at ${first}). The file is damaged or its training diverged; fetch it or train it again.`,
    name,
  );
}
