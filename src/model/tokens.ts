/** Tokens on their way through the encoder: one row per patch, so that every linear layer is one plain matrix product. */
import { productOf } from '../graph/dims.ts';
import type { Dim, Value } from '../graph/ir.ts';
import { gemm } from '../graph/operators.ts';
import type { DropoutSites } from './dropout.ts';
import type { Lora } from './lora.ts';

/** Gives a parameter of the encoder by its official name: an input while training, a constant in an exported graph. */
export type ParameterSource = (name: string) => Value;

/** Sizes around the rows [B·C·N, D]. */
export interface TokenShape {
  readonly batch: Dim;
  readonly channels: number;
  readonly patches: number;
}

/** What every part of the encoder needs. */
export interface Building {
  readonly shape: TokenShape;
  readonly parameter: ParameterSource;
  readonly dropout: DropoutSites | undefined;
  /** While adapting: matrices of the layers have low-rank additions. */
  readonly lora?: Lora | undefined;
}

/** The number of rows, B·C·N, as a size: a multiple of the symbol 'B' where the batch is free. */
export function rowsOf({ batch, channels, patches }: TokenShape): Dim {
  return productOf([batch, channels, patches]);
}

/** x·Wᵀ + b: [M, in] → [M, out], with PyTorch's [out, in] weights. */
export function linear(x: Value, weight: Value, bias: Value): Value {
  return gemm(x, weight, bias, { transB: true });
}

/** Apply dropout where there is any. */
export function drop(x: Value, { dropout }: Pick<Building, 'dropout'>): Value {
  return dropout === undefined ? x : dropout.apply(x);
}
