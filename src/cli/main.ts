#!/usr/bin/env node
/** The command line: one verb a file, the application built here. */
import { buildApplication, buildRouteMap, run, text_en } from '@stricli/core';
import { type Context, describeError, describeUsageError, exitCodeOf } from './command.ts';
import { convertCommand } from './convert.ts';
import { demoCommand } from './demo.ts';
import { embedCommand } from './embed.ts';
import { evaluateCommand } from './evaluate.ts';
import { explainCommand } from './explain.ts';
import { exportCommand } from './export.ts';
import { fetchCommand } from './fetch.ts';
import { finetuneCommand } from './finetune.ts';
import { infoCommand } from './info.ts';
import { predictCommand } from './predict.ts';
import { prepareCommand, prepareWorkerCommand, workerVerb } from './prepare.ts';
import { pretrainCommand } from './pretrain.ts';
import { probeCommand } from './probe.ts';
import { isIdle } from './ranks.ts';
import { reportCommand } from './report.ts';
import { reproduceCommand } from './reproduce.ts';
import { version } from './version.ts';

const debug = process.argv.includes('--debug');
const message = (error: unknown) => describeError(error, debug);

const application = buildApplication(
  buildRouteMap({
    routes: {
      demo: demoCommand,
      info: infoCommand,
      convert: convertCommand,
      fetch: fetchCommand,
      prepare: prepareCommand,
      pretrain: pretrainCommand,
      finetune: finetuneCommand,
      evaluate: evaluateCommand,
      predict: predictCommand,
      embed: embedCommand,
      probe: probeCommand,
      explain: explainCommand,
      reproduce: reproduceCommand,
      report: reportCommand,
      export: exportCommand,
      [workerVerb]: prepareWorkerCommand,
    },
    docs: {
      hideRoute: { [workerVerb]: true },
      brief: 'heartmind: foundation models for the heart and the mind',
      fullDescription: [
        'heartmind: foundation models for the heart and the mind.',
        '',
        'recordings → windows → patches → encoders → fusion → head → scores → report',
        '',
        'Try it:              heartmind demo',
        'Look at your file:   heartmind info my.edf',
        'Every verb:          heartmind VERB --help; --debug adds the stack to an error',
      ].join('\n'),
    },
  }),
  {
    name: 'heartmind',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab', useAliasInUsageLine: false },
    determineExitCode: exitCodeOf,
    localization: {
      loadText: () => ({
        ...text_en,
        exceptionWhileRunningCommand: message,
        commandErrorResult: message,
        exceptionWhileParsingArguments: describeUsageError,
      }),
    },
  },
);

if (isIdle(process.argv[2])) process.exit(0);
const stop = new AbortController();
process.on('SIGINT', () => {
  if (stop.signal.aborted) process.exit(130);
  const notice = 'Stopping after this step (press Ctrl-C again to stop at once) …';
  const asJson = /(^| )--progress[ =]json( |$)/.test(process.argv.join(' '));
  process.stderr.write(asJson ? `${JSON.stringify({ log: notice })}\n` : `\n${notice}\n`);
  stop.abort();
});
process.on('SIGTERM', () => stop.abort());
process.on('SIGUSR2', () => stop.abort()); // mpirun passes this one on to its ranks and waits for them
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader of our pipe went away: `heartmind info x.edf | head`
  throw error;
});

const context: Context = { process, signal: stop.signal };
await run(
  application,
  process.argv.slice(2).filter((argument) => argument !== '--debug'),
  context,
);
if (typeof process.exitCode === 'number' && process.exitCode < 0) process.exitCode = 2; // stricli's own: wrong usage
