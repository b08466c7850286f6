/** What the command line of the benchmark says. */
export const sections = ['ceiling', 'step', 'latency', 'signals', 'readers', 'choices'] as const;
export type Section = (typeof sections)[number];
/** Measured where `--only` names none: choices compare our own ways with each other, on demand or with `--full`. */
const usual = sections.filter((section) => section !== 'choices');

export interface Options {
  readonly full: boolean;
  readonly only: readonly Section[];
  /** Other engines and libraries: those that are there, none, or those that npm can put in beside first. */
  readonly peers: 'present' | 'off' | 'install';
  readonly python: string;
}

export const usage = `npm run bench -- [--full] [--only ${sections.join(',')}] [--peers off|install] [--python PATH]`;

/** Parse; an Error with the usage for what is not an option. */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options {
  let full = false;
  let only: readonly Section[] | undefined;
  let peers: Options['peers'] = 'present';
  let python = environment.HEARTMIND_PYTHON ?? 'python3';
  const rest = [...args];
  const value = (option: string) => {
    const next = rest.shift();
    if (next === undefined || next.startsWith('--'))
      throw new Error(`bench: ${option} wants a value. ${usage}`);
    return next;
  };
  for (let option = rest.shift(); option !== undefined; option = rest.shift()) {
    if (option === '--full') full = true;
    else if (option === '--python') python = value(option);
    else if (option === '--only') {
      const names = value(option).split(',');
      const unknown = names.find((name) => !sections.some((section) => section === name));
      if (unknown !== undefined)
        throw new Error(`bench: '${unknown}' is no section. Use some of ${sections.join(', ')}.`);
      only = sections.filter((section) => names.includes(section));
    } else if (option === '--peers') {
      const choice = value(option);
      if (choice !== 'off' && choice !== 'install' && choice !== 'present')
        throw new Error(`bench: --peers is off or install, not '${choice}'. ${usage}`);
      peers = choice;
    } else throw new Error(`bench: '${option}' is no option. ${usage}`);
  }
  return { full, only: only ?? (full ? sections : usual), peers, python };
}
