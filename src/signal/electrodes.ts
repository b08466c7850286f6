/**
 * Where electrodes sit: names of the 10–20, 10–10 and 10–05 systems → points on the unit sphere (x right, y front, z up;
 * Cz on top). Computed from the definition, on an ideal head: Jasper, Electroencephalogr. Clin. Neurophysiol. 10, 1958;
 * American EEG Society, J. Clin. Neurophysiol. 8, 1991; Oostenveld and Praamstra, Clin. Neurophysiol. 112, 2001. As usual
 * for spherical heads (Perrin et al. 1989), the circumference Fpz, T7, Oz, T8 is the equator and 10 % of an arc over the
 * top are 22.5°: a sphere fitted to a real head has its centre above the line of the ears. Ears and mastoids are not on
 * the scalp and are left out.
 */
import { canonicalName, parseChannelName } from './channel-names.ts';

export type Position = readonly [x: number, y: number, z: number];

/** A row from left to right: percent of the arc from the vertex to the front on the midline, degrees from the front on the circumference. */
interface Row {
  /** Name on the scalp between the circumference's electrodes, and on and below the circumference (FC5, FT7). */
  readonly names: readonly [medial: string, lateral: string];
  readonly midline: number;
  readonly azimuth: number;
}

const rows: readonly Row[] = [
  { names: ['AFp', 'AFp'], midline: 35, azimuth: 27 },
  { names: ['AF', 'AF'], midline: 30, azimuth: 36 },
  { names: ['AFF', 'AFF'], midline: 25, azimuth: 45 },
  { names: ['F', 'F'], midline: 20, azimuth: 54 },
  { names: ['FFC', 'FFT'], midline: 15, azimuth: 63 },
  { names: ['FC', 'FT'], midline: 10, azimuth: 72 },
  { names: ['FCC', 'FTT'], midline: 5, azimuth: 81 },
  { names: ['C', 'T'], midline: 0, azimuth: 90 },
  { names: ['CCP', 'TTP'], midline: -5, azimuth: 99 },
  { names: ['CP', 'TP'], midline: -10, azimuth: 108 },
  { names: ['CPP', 'TPP'], midline: -15, azimuth: 117 },
  { names: ['P', 'P'], midline: -20, azimuth: 126 },
  { names: ['PPO', 'PPO'], midline: -25, azimuth: 135 },
  { names: ['PO', 'PO'], midline: -30, azimuth: 144 },
  { names: ['POO', 'POO'], midline: -35, azimuth: 153 },
];

/** Odd number on the left, the even one on the right is one more → how far along the row: 4 is the circumference, 5 lies 10 % below it. */
const steps: Readonly<Record<string, number>> = {
  '1h': 0.5,
  '1': 1,
  '3h': 1.5,
  '3': 2,
  '5h': 2.5,
  '5': 3,
  '7h': 3.5,
  '7': 4,
  '9h': 4.5,
  '9': 5,
};

/** Degrees from the vertex for a percent of an arc over the top; of the circumference (Fpz, T7, Oz, T8); of 10 % below it. */
const degreesPerPercent = 2.25;
const circumference = 90;
const below = 112.5;

/** Those off the rows: [name, degrees from the vertex, degrees from the front to the left]. */
const single: readonly (readonly [name: string, fromVertex: number, azimuth: number])[] = [
  ['Nz', below, 0],
  ['Fpz', circumference, 0],
  ['Fp1h', circumference, 9],
  ['Fp1', circumference, 18],
  ['Oz', circumference, 180],
  ['O1h', circumference, 171],
  ['O1', circumference, 162],
  ['OIz', 101.25, 180],
  ['OI1h', 101.25, 171],
  ['OI1', 101.25, 162],
  ['Iz', below, 180],
  ['I1h', below, 171],
  ['I1', below, 162],
];

/** The 19 scalp electrodes of the 10–20 system, front to back, in today's names. */
export const electrodes1020: readonly string[] =
  'Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2'.split(' ');

const positions = computePositions();

/** Every electrode of the 10–05 system that has a position here. */
export const electrodeNames: readonly string[] = [...positions.values()].map(({ name }) => name);

/** Where an electrode sits; files' names and old ones are understood (`EEG T3-Ref`). Undefined for what is not on the scalp. */
export function electrodePosition(name: string): Position | undefined {
  return positions.get(canonicalName(parseChannelName(name).electrode))?.position;
}

function computePositions(): Map<string, { name: string; position: Position }> {
  const found = new Map<string, { name: string; position: Position }>();
  const add = (name: string, position: Position) => found.set(name.toUpperCase(), { name, position });
  /** The electrode on the left and its mirror image. */
  const addPair = (prefix: string, number: string, left: Position) => {
    add(`${prefix}${number}`, left);
    const right = number.replace(/\d+/, (digits) => String(Number(digits) + 1));
    add(`${prefix}${right}`, [-left[0], left[1], left[2]]);
  };
  for (const [name, fromVertex, azimuth] of single) {
    const number = /\d.*$/.exec(name)?.[0];
    if (number === undefined) add(name, onSphere(fromVertex, azimuth));
    else addPair(name.slice(0, -number.length), number, onSphere(fromVertex, azimuth));
  }
  for (const { names, midline, azimuth } of rows) {
    const middle = onSphere(degreesPerPercent * Math.abs(midline), midline >= 0 ? 0 : 180);
    add(`${names[0]}z`, middle);
    const edge = onSphere(circumference, azimuth);
    for (const [number, step] of Object.entries(steps)) {
      const fromVertex = circumference + (below - circumference) * (step - 4);
      const left = step <= 4 ? alongRow(middle, edge, step / 4) : onSphere(fromVertex, azimuth);
      addPair(names[step > 3 ? 1 : 0], number, left);
    }
  }
  return found;
}

/** Degrees from the vertex, and from the front to the left. */
function onSphere(fromVertex: number, azimuth: number): Position {
  const [theta, phi] = [(fromVertex * Math.PI) / 180, (azimuth * Math.PI) / 180];
  return [0 - Math.sin(theta) * Math.sin(phi), Math.sin(theta) * Math.cos(phi), Math.cos(theta)];
}

/** A share of the arc from the midline to the left edge, on the circle through both and the right edge. */
function alongRow(middle: Position, edge: Position, share: number): Position {
  // The plane holds the x direction, so the circle's centre lies in x = 0: on the line from `middle` to (0, y, z) of `edge`.
  const inward: Position = [0, edge[1] - middle[1], edge[2] - middle[2]];
  const length = Math.hypot(inward[1], inward[2]);
  const [uy, uz] = [inward[1] / length, inward[2] / length];
  const radius = -(middle[1] * uy + middle[2] * uz); // the centre is nearest to the origin
  const full = Math.atan2(-edge[0], radius - length);
  const angle = share * full;
  const down = radius * (1 - Math.cos(angle));
  return [-radius * Math.sin(angle), middle[1] + down * uy, middle[2] + down * uz];
}
