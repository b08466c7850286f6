export const statements: Readonly<Record<string, (read: (name: string) => unknown) => string>>;
