export const questionTitles: Readonly<Record<string, string>>;
