/** `heartmind report RUN`: draw the report again from the run's result.json. */
import { buildCommand } from '@stricli/core';
import { type Context, parseText } from './command.ts';
import { checkRunFiles, readResultFile, writeReport } from './run-folder.ts';

export const reportCommand = buildCommand<Record<never, never>, [string], Context>({
  docs: {
    brief: "Draw a run's report.html again from its result.json",
    customUsage: [{ input: 'runs/demo', brief: 'Write runs/demo/report.html and print its path' }],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Folder of the run, or a result.json', parse: parseText, placeholder: 'run' }],
    },
  },
  async func(_flags, run) {
    const { folder, result } = await readResultFile(run);
    await checkRunFiles(folder, ['report.html']);
    this.process.stdout.write(`${await writeReport(folder, result)}\n`);
  },
});
