export const questionTitles: Readonly<Record<string, string>>;
export const statements: Readonly<Record<string, (read: (name: string) => unknown) => string>>;
