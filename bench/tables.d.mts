/** Tables by name; each renders what a reader of bench/results/SECTION.json gives, undefined for one not measured. */
export const benchTables: Readonly<Record<string, (read: (section: string) => unknown) => string>>;
