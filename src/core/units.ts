/** The one place for units: what a channel's unit is worth in microvolt. */
import { UnsupportedError } from './errors.ts';

const microvoltPer: Readonly<Record<string, number>> = { nv: 1e-3, uv: 1, µv: 1, μv: 1, mv: 1e3, v: 1e6 };

/** Factor from `unit` to microvolt (`mV` → 1000); undefined for units that are not a voltage. */
export function microvolts(unit: string): number | undefined {
  const key = unit.trim().toLowerCase();
  return Object.hasOwn(microvoltPer, key) ? microvoltPer[key] : undefined;
}

/** Factor by which a value in `from` is multiplied to be in `to`. UnsupportedError unless both are voltages. */
export function unitFactor(from: string, to: string): number {
  const [a, b] = [microvolts(from), microvolts(to)];
  if (a === undefined || b === undefined) {
    const unknown = a === undefined ? from : to;
    throw new UnsupportedError(
      `units: '${unknown}' is not a voltage that heartmind knows (nV, uV, mV, V). Name the unit in the recipe.`,
      `unit ${unknown}`,
    );
  }
  return a / b;
}
