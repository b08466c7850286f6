/**
 * bench/results/*.json → the tables of README.md and docs/benchmarks.md (scripts/write-tables.mjs puts them in).
 * Every figure is a median [first quartile, third quartile] unless it says otherwise.
 */

/** @typedef {{ median: number, q1: number, q3: number, min: number, repeats: number }} Spread */

const notMeasured = '*Not measured yet: `npm run bench`.*\n';

/** What the project asks of itself: [what, bound, how it reads, who has to be below or above]. */
const goals = [
  [
    'training step, against PyTorch eager',
    atLeast(1.5),
    (all) => againstStep(all, (name) => name.includes('eager')),
  ],
  [
    'training step, against `torch.compile`',
    atLeast(1),
    (all) => againstStep(all, (name) => name.includes('compile')),
  ],
  ["training step, share of ONNX Runtime's fastest product", atLeast(0.65, percent), shareOfCeiling],
  ['one window, time against PyTorch', atMost(0.5), latencyAgainst],
  ['training step, peak memory against PyTorch', atMost(1), memoryAgainst],
  ['reading EDF, against MNE', atLeast(2), (all) => againstSignals(all, ['read EDF'], 'MNE')],
  ['reading EDF, against pyEDFlib', atLeast(1), (all) => againstSignals(all, ['read EDF'], 'pyEDFlib')],
  [
    'filters, resampling, spectra, against SciPy',
    atLeast(1),
    (all) => againstSignals(all, undefined, 'SciPy'),
  ],
];

/** Renderers by the name of the table; each takes a reader of sections that gives undefined for one not measured. */
export const benchTables = {
  'bench-goals': goalsTable,
  'bench-machine': machineTable,
  'bench-ceiling': ceilingTable,
  'bench-step': stepTable,
  'bench-latency': (read) => raceTable(read('latency'), (time) => milliseconds(time), 'time'),
  'bench-signals': (read) =>
    raceTable(read('signals'), (time, settings) => signalRate(time, settings), 'speed'),
  'bench-readers': (read) =>
    raceTable(read('readers'), (time, settings) => signalRate(time, settings), 'speed'),
  'bench-choices': (read) => raceTable(read('choices'), (time) => milliseconds(time), 'time'),
};

function goalsTable(read) {
  const all = {
    ceiling: read('ceiling'),
    step: read('step'),
    latency: read('latency'),
    signals: read('signals'),
  };
  const rows = goals.map(([what, { text, holds, show }, measure]) => {
    const found = measure(all);
    if (found.length === 0) return [what, text, 'not measured', '–'];
    const met = found.filter(({ value }) => holds(value)).length;
    const verdict =
      met === found.length ? 'met' : met === 0 ? '**not met**' : `**met in ${met} of ${found.length}**`;
    return [
      what,
      text,
      found.map(({ name, value }) => `${name ? `${name}: ` : ''}${show(value)}`).join('; '),
      verdict,
    ];
  });
  return table(['goal', 'bound', 'measured', ''], rows);
}

function machineTable(read) {
  const rows = ['ceiling', 'step', 'latency', 'signals', 'readers', 'choices'].flatMap((section) => {
    const result = read(section);
    if (!result) return [];
    const { cpu, cores, vectors, memoryGigabytes, node, onnxruntime, load } = result.machine;
    const engines = new Set(
      result.cases.flatMap(({ outcomes }) => outcomes.map(({ engine }) => engineOf(engine))),
    );
    return [
      [
        `${section}${result.full ? ', full' : ''}`,
        `${cpu}, ${cores} cores (${vectors}), ${memoryGigabytes} GB; load ${load}`,
        [`Node ${node}`, `onnxruntime-node ${onnxruntime}`, ...engines].filter(Boolean).join('; '),
        `${result.date.slice(0, 10)}, ${result.commit}`,
      ],
    ];
  });
  return rows.length === 0 ? notMeasured : table(['section', 'machine', 'versions', 'when, commit'], rows);
}

function ceilingTable(read) {
  const result = read('ceiling');
  if (!result) return notMeasured;
  const rows = result.cases.map(({ name, settings, outcomes }) => {
    const best = (prefix) => {
      const own = timed(outcomes).filter((outcome) => outcome.name.startsWith(prefix));
      if (own.length === 0) return '–';
      const { time, name: variant } = own.reduce((a, b) => (b.time.median < a.time.median ? b : a));
      if (settings.kind === 'memory') return `${rounded((2 * settings.megabytes) / 1e3 / time.median)} GB/s`;
      const how = variant.slice(prefix.length).trim().replaceAll(',', '');
      return `${rounded(flopsOf(settings) / time.median / 1e9)}${how === '' ? '' : ` (${how})`}`;
    };
    return [
      settings.kind === 'memory' ? 'y = x + 1, read and written' : name,
      best('ONNX Runtime'),
      best('PyTorch'),
      best('jax-js'),
    ];
  });
  return table(['product, GFLOP/s', 'ONNX Runtime', 'PyTorch', 'jax-js (WebAssembly)'], rows);
}

function stepTable(read) {
  const result = read('step');
  if (!result) return notMeasured;
  const ceilings = ceilingsOf(read('ceiling'));
  const rows = result.cases.flatMap(({ name, settings, outcomes }) =>
    outcomes.map((outcome) => {
      const { name: who, time, absent, first, compile, peakBytes, idleBytes, firstIsFasterBy } = outcome;
      if (absent !== undefined) return [name, who, `left out: ${absentReason(absent)}`, '', '', '', '', ''];
      const gigaflops = settings.modelFlops / time.median / 1e9;
      const ceiling = who.startsWith('heartmind') ? ceilings?.own : ceilings?.torch;
      const share = ceiling ? `${rounded(gigaflops)} (${percent(gigaflops / ceiling)})` : rounded(gigaflops);
      return [
        ...[name, who, rounded(settings.tokens / time.median), milliseconds(time), share],
        `${rounded(peakBytes / 1e9)} GB${idleBytes ? ` (${rounded(idleBytes / 1e9)})` : ''}`,
        `${rounded(first)} s${compile === undefined ? '' : ` (${rounded(compile)} s compiling)`}`,
        firstIsFasterBy ? `${rounded(firstIsFasterBy.median)}×` : '',
      ];
    }),
  );
  const head = [
    'case',
    'by',
    'tokens/s',
    'step',
    'GFLOP/s (share of its own product)',
    'peak memory (before the case)',
    'first step',
    'first row faster by',
  ];
  return table(head, rows);
}

function raceTable(result, show, column) {
  if (!result) return notMeasured;
  const rows = result.cases.flatMap(({ name, settings, outcomes }) =>
    outcomes.map(({ name: who, time, absent, firstIsFasterBy }) => [
      ...[name, who],
      absent === undefined ? show(time, settings) : `left out: ${absentReason(absent)}`,
      firstIsFasterBy ? `${rounded(firstIsFasterBy.median)}×` : '',
    ]),
  );
  return table(['case', 'by', column, 'first row faster by'], rows);
}

/** Ratios of the best medians, theirs / ours, in every case of the training step. */
function againstStep({ step }, isPeer) {
  return (step?.cases ?? []).flatMap(({ name, outcomes }) => {
    const [ours, theirs] = [best(outcomes, isOurs), best(outcomes, isPeer)];
    return ours && theirs ? [{ name, value: theirs.time.median / ours.time.median }] : [];
  });
}

function shareOfCeiling({ step, ceiling }) {
  const own = ceilingsOf(ceiling)?.own;
  if (!own) return [];
  return (step?.cases ?? []).flatMap(({ name, settings, outcomes }) => {
    const ours = best(outcomes, isOurs);
    return ours ? [{ name, value: settings.modelFlops / ours.time.median / 1e9 / own }] : [];
  });
}

function latencyAgainst({ latency }) {
  return (latency?.cases ?? [])
    .filter(({ settings }) => settings.batch === 1)
    .flatMap(({ name, outcomes }) => {
      const [ours, theirs] = [best(outcomes, isOurs), best(outcomes, (who) => who.startsWith('PyTorch'))];
      const short = name.replace(', one window', '').replace('encoder, ', '');
      return ours && theirs ? [{ name: short, value: ours.time.median / theirs.time.median }] : [];
    });
}

/** The fastest way of each side, as one would run it. */
function memoryAgainst({ step }) {
  return (step?.cases ?? []).flatMap(({ name, outcomes }) => {
    const [ours, theirs] = [best(outcomes, isOurs), best(outcomes, (who) => who.startsWith('PyTorch'))];
    return ours && theirs ? [{ name, value: ours.peakBytes / theirs.peakBytes }] : [];
  });
}

function againstSignals({ signals }, names, peer) {
  return (signals?.cases ?? [])
    .filter(({ name }) => !names || names.includes(name))
    .flatMap(({ name, outcomes }) => {
      const [ours, theirs] = ['heartmind', peer].map((name) => best(outcomes, (who) => who === name));
      const label = names?.length === 1 ? '' : name;
      return ours && theirs ? [{ name: label, value: theirs.time.median / ours.time.median }] : [];
    });
}

/** Fastest product of each engine, GFLOP/s, over all shapes. */
function ceilingsOf(ceiling) {
  if (!ceiling) return undefined;
  const fastest = (prefix) =>
    Math.max(
      0,
      ...ceiling.cases
        .filter(({ settings }) => settings.kind === 'product')
        .flatMap(({ settings, outcomes }) =>
          timed(outcomes)
            .filter(({ name }) => name.startsWith(prefix))
            .map(({ time }) => flopsOf(settings) / time.median / 1e9),
        ),
    );
  return { own: fastest('ONNX Runtime') || undefined, torch: fastest('PyTorch') || undefined };
}

function best(outcomes, isWanted) {
  const wanted = timed(outcomes).filter(({ name }) => isWanted(name));
  return wanted.length === 0 ? undefined : wanted.reduce((a, b) => (b.time.median < a.time.median ? b : a));
}

function timed(outcomes) {
  return outcomes.filter(({ time }) => time !== undefined);
}

function isOurs(name) {
  return name.startsWith('heartmind');
}

function flopsOf({ rows, inner, columns }) {
  return 2 * rows * inner * columns;
}

function engineOf(engine = {}) {
  const { engine: name, blas, oneDNN, capability, threads, ...versions } = engine;
  if (name?.startsWith('PyTorch'))
    return `${name} (BLAS ${blas}, oneDNN ${oneDNN}, ${capability}, ${threads} threads)`;
  if (name?.startsWith('onnxruntime-node')) return undefined; // stands there already
  if (name) return name;
  return Object.entries(versions)
    .filter(([key]) => ['numpy', 'scipy', 'mne', 'wfdb', 'pyedflib'].includes(key))
    .map(([key, version]) => `${key} ${version}`)
    .join(' ');
}

function signalRate(time, { amount, unit }) {
  const scale = 1e6;
  const rate = (seconds) => rounded(amount / seconds / scale);
  const of = unit === 'byte' ? 'MB/s' : 'million samples/s';
  return `${rate(time.median)} ${of} [${rate(time.q3)}, ${rate(time.q1)}]`;
}

function milliseconds({ median, q1, q3 }) {
  const [scale, unit] = median >= 1 ? [1, 's'] : [1000, 'ms'];
  return `${rounded(scale * median)} ${unit} [${rounded(scale * q1)}, ${rounded(scale * q3)}]`;
}

/** Three digits. */
function rounded(value) {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return digits === 0 && Math.abs(value) >= 1000
    ? Number(value.toPrecision(3)).toLocaleString('en')
    : value.toFixed(digits);
}

function percent(value) {
  return `${Math.round(100 * value)} %`;
}

function times(value) {
  return `${rounded(value)}×`;
}

function atLeast(bound, show = times) {
  return { text: `≥ ${show(bound)}`, holds: (value) => value >= bound, show };
}

function atMost(bound) {
  return { text: `≤ ${times(bound)}`, holds: (value) => value <= bound, show: times };
}

/** One line, and nothing that ends a cell. */
function absentReason(text) {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '/').slice(0, 120);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line), ''].join('\n');
}
