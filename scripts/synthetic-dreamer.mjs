/**
 * A DREAMER.mat of the published structure with made-up signals, in which it is known what can be predicted from what:
 * the whole way from the file to the report can be tested without the data, which their authors give on request only.
 *
 * What is planted, for the rating named by `target`; z is +1 where it is high, −1 where it is low:
 * - `eeg`: the 10-Hz rhythm of every electrode is (1 + effect · z) times its size.
 * - `ecg`: the heart beats 12 · effect · z times a minute faster, and its T wave is (1 − effect · z) times as high, as under
 *   sympathetic drive.
 * - `interaction`: rhythm and heart each take a sign at random, a and b, and the rating is high where a · b = 1: neither
 *   predicts it alone, and no sum of both does.
 * - `none`: nothing.
 * `confound` is the part of films whose rating is the film's own, the same for all people; then each film also has a
 * rhythm of its own (20 Hz and up), so that a model may learn the film instead of the rating.
 *
 * `fingerprint` is how much trials differ whatever is planted, as real ones do: electrodes dry and shift, so that the size of
 * each channel's rhythm and noise is the trial's own (standard deviation of its logarithm), and so are the heart's rate (10
 * times that a minute) and the height of its waves. Windows of one trial are recognised by it.
 *
 * Everything follows from the seed; memory holds one signal at a time.
 */

export const electrodes = 'AF3 F7 F3 FC5 T7 P7 O1 O2 P8 T8 FC6 F4 F8 AF4'.split(' ');
export const ratings = ['Valence', 'Arousal', 'Dominance'];
const [eegRateHz, ecgRateHz] = [128, 256];
const effects = ['eeg', 'ecg', 'interaction', 'none'];

/** Options with what is not given filled in; RangeError where one makes no sense. */
export function dreamerPlan(options = {}) {
  const plan = {
    ...{ people: 23, films: 18, seconds: 60, baselineSeconds: 61, seed: 1 },
    ...{ effect: 'none', target: 'valence', effectSize: 0.3, confound: 0, fingerprint: 0.1 },
    ...options,
  };
  const { effect, target, effectSize, confound, fingerprint, seed } = plan;
  for (const name of ['people', 'films', 'seconds', 'baselineSeconds'])
    if (!Number.isInteger(plan[name]) || plan[name] < (name === 'baselineSeconds' ? 0 : 1))
      throw new RangeError(`${name} is ${plan[name]}; a whole number above 0 is wanted.`);
  if (!effects.includes(effect)) throw new RangeError(`effect is ${effect}; one of ${effects.join(', ')}.`);
  if (!ratings.some((name) => name.toLowerCase() === target))
    throw new RangeError(`target is ${target}; one of ${ratings.join(', ').toLowerCase()}.`);
  if (!(effectSize >= 0 && effectSize < 1))
    throw new RangeError(`effectSize is ${effectSize}; 0 to below 1.`);
  if (!(confound >= 0 && confound <= 1)) throw new RangeError(`confound is ${confound}; 0 to 1.`);
  if (!(fingerprint >= 0 && fingerprint <= 1)) throw new RangeError(`fingerprint is ${fingerprint}; 0 to 1.`);
  if (!Number.isInteger(seed)) throw new RangeError(`seed is ${seed}; a whole number is wanted.`);
  return plan;
}

/** A generator of numbers in [0, 1), mulberry32, begun by what the words hash to (FNV-1a). */
function randomOf(...words) {
  let state = 2166136261;
  for (const c of words.join(' ')) state = Math.imul(state ^ c.charCodeAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal, about: twelve uniform numbers less six. */
function normal(random) {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** Is the target's rating of each film high? As many high as low for every person, but for what films decide. */
function highFilms(plan, person) {
  const { films, seed, confound } = plan;
  const halves = (random) => {
    const high = Array.from({ length: films }, (_, i) => i < films / 2);
    for (let i = films - 1; i > 0; i--) {
      const k = Math.floor(random() * (i + 1));
      [high[i], high[k]] = [high[k], high[i]];
    }
    return high;
  };
  const ofFilm = halves(randomOf(seed, 'films'));
  const confounded = randomOf(seed, 'confounded');
  const isConfounded = Array.from({ length: films }, () => confounded() < confound);
  return halves(randomOf(seed, 'high', person)).map((own, i) => (isConfounded[i] ? ofFilm[i] : own));
}

/** Signs at random, as many of each among a person's high films as among the low ones: alone they tell nothing. */
function rhythmSigns(plan, person) {
  const random = randomOf(plan.seed, 'signs', person);
  const next = { true: random() < 0.5 ? 1 : -1, false: random() < 0.5 ? 1 : -1 };
  const high = highFilms(plan, person);
  const signs = Array(plan.films);
  const order = Array.from({ length: plan.films }, (_, i) => ({ i, at: random() })).sort(
    (x, y) => x.at - y.at,
  );
  for (const { i } of order) {
    signs[i] = next[high[i]];
    next[high[i]] *= -1;
  }
  return signs;
}

/** What is planted in one person's film (both from 1): ratings and the signs of rhythm and heart. */
export function plantedIn(options, person, film) {
  const plan = dreamerPlan(options);
  const high = highFilms(plan, person)[film - 1];
  const random = randomOf(plan.seed, 'trial', person, film);
  const rate = (isHigh) => (isHigh ? 4 + Math.floor(random() * 2) : 1 + Math.floor(random() * 3));
  const scores = Object.fromEntries(
    ratings.map((name) => [name, rate(name.toLowerCase() === plan.target ? high : random() < 0.5)]),
  );
  const z = high ? 1 : -1;
  const a = plan.effect === 'interaction' ? rhythmSigns(plan, person)[film - 1] : 1;
  const signs = { eeg: [z, 0], ecg: [0, z], interaction: [a, a * z], none: [0, 0] }[plan.effect];
  return { scores, eegSign: signs[0], ecgSign: signs[1] };
}

/** A person's EEG of a film in microvolt, [T, 14] column by column; people and films count from 1. */
export function eegOf(options, person, film, kind) {
  const plan = dreamerPlan(options);
  const { seed, effectSize, confound, fingerprint } = plan;
  const length = eegRateHz * (kind === 'stimuli' ? plan.seconds : plan.baselineSeconds);
  const sign = kind === 'stimuli' ? plantedIn(plan, person, film).eegSign : 0;
  const own = randomOf(seed, 'person', person);
  const rhythm = (6 + 6 * own()) * (1 + effectSize * sign);
  const ofFilm = kind === 'stimuli' && confound > 0 ? 10 : 0;
  const filmHz = 20 + film * 1.2;
  const values = new Float64Array(length * electrodes.length);
  for (let c = 0; c < electrodes.length; c++) {
    const random = randomOf(seed, 'eeg', kind, person, film, c);
    const [phase, filmPhase] = [random() * 2 * Math.PI, random() * 2 * Math.PI];
    const offset = 4100 + 200 * random();
    const [ownRhythm, ownSlow, ownNoise] = [0, 0, 0].map(() => Math.exp(fingerprint * normal(random)));
    let slow = 0;
    for (let t = 0; t < length; t++) {
      const noise = random() + random() + random() - 1.5;
      slow = 0.97 * slow + noise;
      const seconds = t / eegRateHz;
      values[c * length + t] =
        offset +
        4 * ownSlow * slow +
        3 * ownNoise * noise +
        ownRhythm * rhythm * Math.sin(2 * Math.PI * 10 * seconds + phase) +
        (ofFilm === 0 ? 0 : ofFilm * Math.sin(2 * Math.PI * filmHz * seconds + filmPhase));
    }
  }
  return values;
}

/** A person's ECG of a film, [T, 2] column by column: a beat is three bumps, P, R and T. */
export function ecgOf(options, person, film, kind) {
  const plan = dreamerPlan(options);
  const { seed, effectSize, fingerprint } = plan;
  const length = ecgRateHz * (kind === 'stimuli' ? plan.seconds : plan.baselineSeconds);
  const sign = kind === 'stimuli' ? plantedIn(plan, person, film).ecgSign : 0;
  const own = randomOf(seed, 'heart of', kind, person, film);
  const [ownRate, ownR, ownT] = [0, 0, 0].map(() => fingerprint * normal(own));
  const perMinute = 62 + 16 * randomOf(seed, 'heart', person)() + 12 * effectSize * sign + 10 * ownRate;
  const values = new Float64Array(length * 2);
  const random = randomOf(seed, 'ecg', kind, person, film);
  for (let i = 0; i < values.length; i++) values[i] = 2048 + 12 * (random() + random() - 1);
  let beat = random() * (60 / perMinute);
  for (; beat * ecgRateHz < length; beat += (60 / perMinute) * (0.96 + 0.08 * random()))
    for (const [delay, width, height] of [
      [-0.16, 0.025, 60],
      [0, 0.011, 700 * Math.exp(ownR)],
      [0.24, 0.04, 140 * Math.exp(ownT) * (1 - effectSize * sign)],
    ]) {
      const from = Math.max(0, Math.ceil((beat + delay - 4 * width) * ecgRateHz));
      const to = Math.min(length, Math.floor((beat + delay + 4 * width) * ecgRateHz));
      for (let t = from; t < to; t++) {
        const x = height * Math.exp(-0.5 * ((t / ecgRateHz - beat - delay) / width) ** 2);
        values[t] += x;
        values[length + t] += 0.7 * x;
      }
    }
  return values;
}

/** The file without its compression: pieces in order, one signal in memory. */
export function* dreamerPieces(options = {}) {
  yield matHeader();
  yield* dreamerVariable(options).pieces();
}

/** The first 128 bytes. */
export function matHeader() {
  const header = new Uint8Array(128).fill(32);
  header.set(ascii('MATLAB 5.0 MAT-file, made-up signals in the structure of DREAMER'));
  header.fill(0, 116, 124);
  header.set([0, 1, 0x49, 0x4d], 124);
  return header;
}

/** The variable DREAMER: how many bytes it has, and its pieces. */
export function dreamerVariable(options = {}) {
  const plan = dreamerPlan(options);
  const { people, films, seconds, baselineSeconds } = plan;
  const numbers = (from, count) => Array.from({ length: count }, (_, i) => from + i);
  const signal = (person, kind, rateHz, channels, make) =>
    cell(
      [films, 1],
      numbers(1, films).map((film) =>
        doubles([rateHz * (kind === 'stimuli' ? seconds : baselineSeconds), channels], () =>
          make(plan, person, film, kind),
        ),
      ),
    );
  const signals = (person, rateHz, channels, make) =>
    struct([
      ['baseline', signal(person, 'baseline', rateHz, channels, make)],
      ['stimuli', signal(person, 'stimuli', rateHz, channels, make)],
    ]);
  const personOf = (person) =>
    struct([
      ['Age', text(String(21 + (person % 13)))],
      ['Gender', text(person % 2 === 0 ? 'female' : 'male')],
      ['EEG', signals(person, eegRateHz, electrodes.length, eegOf)],
      ['ECG', signals(person, ecgRateHz, 2, ecgOf)],
      ...ratings.map((name) => [
        `Score${name}`,
        doubles([films, 1], () =>
          Float64Array.from(numbers(1, films), (film) => plantedIn(plan, person, film).scores[name]),
        ),
      ]),
    ]);
  const one = (value) => doubles([1, 1], () => Float64Array.of(value));
  return struct(
    [
      ['Data', cell([1, people], numbers(1, people).map(personOf))],
      ['EEG_SamplingRate', one(eegRateHz)],
      ['ECG_SamplingRate', one(ecgRateHz)],
      ['EEG_Electrodes', cell([1, electrodes.length], electrodes.map(text))],
      ['noOfSubjects', one(people)],
      ['noOfVideoSequences', one(films)],
      ['Disclaimer', text('Made-up signals.')],
      ['Provider', text('heartmind')],
      ['Version', text('synthetic')],
      ['Acknowledgement', text('')],
    ],
    'DREAMER',
  );
}

// MAT level 5: a tag of type and length, then data filled up to 8 bytes. Numbers of types and classes: MathWorks, MAT-File Format.

function matrix(mxClass, dims, name, parts) {
  const shape = element(5, new Uint8Array(Int32Array.from(dims).buffer));
  const head = [
    element(6, new Uint8Array(Uint32Array.of(mxClass, 0).buffer)),
    shape,
    element(1, ascii(name)),
  ];
  const inside = [...head, ...parts.map((part) => part.byteLength)].reduce(
    (sum, part) => sum + (typeof part === 'number' ? part : part.length),
    0,
  );
  return {
    byteLength: 8 + inside,
    *pieces() {
      yield tag(14, inside);
      yield* head;
      for (const part of parts) yield* part.pieces();
    },
  };
}

function doubles(dims, make, name = '') {
  const byteLength = 8 * dims.reduce((product, size) => product * size, 1);
  return matrix(6, dims, name, [
    {
      byteLength: 8 + byteLength,
      *pieces() {
        yield tag(9, byteLength);
        yield new Uint8Array(make().buffer);
      },
    },
  ]);
}

function text(value) {
  const data = element(16, ascii(value));
  return matrix(4, [value === '' ? 0 : 1, value.length], '', [given(data)]);
}

function cell(dims, cells) {
  return matrix(1, dims, '', cells);
}

function struct(fields, name = '') {
  const width = 32;
  const names = new Uint8Array(width * fields.length);
  for (const [i, [field]] of fields.entries()) names.set(ascii(field), i * width);
  const nameLength = Uint8Array.of(5, 0, 4, 0, width, 0, 0, 0);
  const values = fields.map(([, value]) => value);
  return matrix(2, [1, 1], name, [given(nameLength), given(element(1, names)), ...values]);
}

function given(bytes) {
  return {
    byteLength: bytes.length,
    *pieces() {
      yield bytes;
    },
  };
}

function element(type, data) {
  const bytes = new Uint8Array(8 + data.length + (-data.length & 7));
  bytes.set(tag(type, data.length));
  bytes.set(data, 8);
  return bytes;
}

function tag(type, byteCount) {
  return new Uint8Array(Uint32Array.of(type, byteCount).buffer);
}

function ascii(value) {
  return new TextEncoder().encode(value);
}
