/**
 * The numbers that a model computes in: float32, or INT8 for inference on processors.
 *
 * INT8 takes the products of the encoder's layers (attention's projections, feed-forward network): nearly all weights
 * and most of the time. The patch embedding, norms, attention scores and head stay float32: there is little to gain
 * there. What it costs stands in docs/results.md.
 */
import { ConfigError } from '../core/errors.ts';
import type { Graph } from '../graph/ir.ts';
import { quantizeProducts } from '../graph/quantize.ts';
import type { Backend } from '../runtime/backend.ts';

export const inferencePrecisions = ['float32', 'int8'] as const;
export type InferencePrecision = (typeof inferencePrecisions)[number];

export interface InferenceOptions {
  /** Default float32. With int8 a window's result depends, within the rounding, on what else is in its batch. */
  readonly precision?: InferencePrecision;
}

/** An inference graph in the given precision. */
export function withPrecision(graph: Graph, { precision = 'float32' }: InferenceOptions): Graph {
  if (precision === 'float32') return graph;
  return quantizeProducts(graph, { select: (name) => /(^|\.)encoder\.layers\./.test(name) });
}

/** ConfigError where a backend has no integer products. */
export function checkPrecision({ device }: Backend, { precision = 'float32' }: InferenceOptions): void {
  if (precision === 'int8' && device !== 'cpu')
    throw new ConfigError(
      `precision: int8 is for the cpu, this engine computes on ${device}. Choose float32, or the device cpu.`,
      'precision',
      'float32',
    );
}
