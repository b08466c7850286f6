/**
 * Dynamic loss scaling for float16: the loss is multiplied before it is differentiated, so that small gradients do not
 * vanish; where one overflows, the scale is halved and the gradients are computed again; after many updates without, it is
 * doubled. Powers of two alone, so that no gradient is rounded by it. Micikevicius et al., arXiv 1710.03740, §3.2.
 */
import { float32, type Tensor } from '../core/tensor.ts';

/** Scale of the mean loss to begin with, as PyTorch's GradScaler. */
const first = 2 ** 16;
/** Below this the gradients themselves are at fault, not the scale. */
const least = 2 ** -60;
/** Updates without overflow after which twice the scale is tried, as PyTorch's GradScaler. */
const patience = 2000;

export class LossScale {
  /** [what the loss's total is multiplied by, updates since that changed], as a checkpoint keeps it; −1: not chosen yet. */
  readonly state: Tensor<'float32'> = float32([2], [1, -1]);
  /** How often gradients were computed again, since this run began. */
  repeats = 0;

  get value(): number {
    return this.state.data[0]!;
  }

  /** What to do after gradients: compute them again, by another scale, or take them. */
  shouldRepeat({ weight, norm }: { readonly weight: number; readonly norm: number }): boolean {
    if (this.state.data[1] === -1) {
      // The first gradients tell the weight of a loss, and so what the scale of the mean is for its total.
      this.state.data.set([first / 2 ** Math.round(Math.log2(weight)), 0]);
      return true;
    }
    if (Number.isFinite(norm) || this.value / 2 < least) return false;
    this.state.data.set([this.value / 2, 0]);
    this.repeats++;
    return true;
  }

  /** An update took effect. */
  succeeded(): void {
    const updates = this.state.data[1]! + 1;
    const grows = updates >= patience;
    this.state.data.set(grows ? [this.value * 2, 0] : [this.value, updates]);
  }
}
