/**
 * The people of EEGMAT in four groups of nine, each left out by one EEG encoder: whoever is tested, one of the four has not
 * seen them. In order of their numbers, so that the published split's validation and test people (28–35) share a group:
 * its encoder serves that split too.
 */
export const people = Array.from({ length: 36 }, (_, i) => `Subject${String(i).padStart(2, '0')}`);

const size = 9;

/** Names of encoders → the people that each has never seen. */
export const groups = Object.fromEntries(
  Array.from({ length: people.length / size }, (_, g) => [
    `without-${String(g * size).padStart(2, '0')}-${String((g + 1) * size - 1).padStart(2, '0')}`,
    people.slice(g * size, (g + 1) * size),
  ]),
);
