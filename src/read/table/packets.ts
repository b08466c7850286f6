/**
 * The stamps of a table's rows → packets: devices send several samples at once, and stamp the packet. A packet's stamp
 * stands in each of its rows, in its first row with blanks behind, or is spread over its rows by the recorder.
 */

/** Packets by their first rows. A row with a stamp of its own is a packet of one row. */
export interface Packets {
  /** Row of each packet's stamp, growing. */
  readonly rows: Float64Array;
  /** Its time, in seconds. */
  readonly times: Float64Array;
  /** Rows in a packet where nearly all have equally many, else 1: samples are lost in such portions. */
  readonly size: number;
}

/** Of a step from row to row, what it may differ from the usual one within a packet. */
const oddStep = 0.2;
/** Of the packets, those that must be as long as most are. */
const mostPackets = 0.75;

/** Packets of rows at `times`, NaN where a row has no stamp. */
export function packetsOf(times: Float64Array): Packets {
  const stamped = new Float64Array(times.length);
  let count = 0;
  let last = Number.NaN;
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (Number.isNaN(time) || time === last) continue;
    stamped[count++] = i;
    last = time;
  }
  const rows = stamped.subarray(0, count);
  if (count < times.length * 0.75) return portions(rows, times);
  const phase = spreadPackets(times);
  if (!phase) return { rows, times: rows.map((row) => times[row]!), size: 1 };
  const { size, first } = phase;
  const starts = Float64Array.from(
    { length: Math.ceil((times.length - first) / size) },
    (_, k) => first + k * size,
  );
  return { rows: starts, times: starts.map((row) => times[row]!), size };
}

function portions(rows: Float64Array, times: Float64Array): Packets {
  const lengths = Array.from(rows.subarray(1), (row, k) => row - rows[k]!);
  const [size, count] = mode(lengths);
  return {
    rows,
    times: rows.map((row) => times[row]!),
    size: count >= mostPackets * lengths.length ? size : 1,
  };
}

/** Steps that are alike but for every `size`-th: the recorder spread the stamps of packets over their rows. */
function spreadPackets(times: Float64Array): { size: number; first: number } | undefined {
  const steps = new Float64Array(Math.max(0, times.length - 1));
  for (let i = 0; i < steps.length; i++) {
    steps[i] = times[i + 1]! - times[i]!;
    if (Number.isNaN(steps[i])) return undefined;
  }
  const stride = Math.max(1, Math.floor(steps.length / 20_000));
  const sample = steps.filter((_, i) => i % stride === 0).sort();
  const usual = sample[sample.length >> 1]!;
  if (!(usual > 0)) return undefined;
  const odd: number[] = [];
  for (let i = 0; i < steps.length; i++) if (Math.abs(steps[i]! - usual) > oddStep * usual) odd.push(i + 1);
  if (odd.length < 5 || odd.length > steps.length / 2) return undefined;
  // Where every other packet happens to come in time, most distances are twice or thrice a packet's.
  const distances = odd.slice(1).map((row, k) => row - odd[k]!);
  for (const size of [...new Set(distances)].sort((a, b) => a - b).slice(0, 200)) {
    if (size < 2) continue;
    const [first, count] = mode(odd.map((row) => row % size));
    if (count >= mostPackets * odd.length && count * size >= 0.2 * times.length) return { size, first };
  }
  return undefined;
}

function mode(list: readonly number[]): [value: number, count: number] {
  const counts = new Map<number, number>();
  for (const value of list) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: [number, number] = [1, 0];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best;
}
