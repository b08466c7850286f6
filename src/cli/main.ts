#!/usr/bin/env node
/** The command line: one verb a file, the application built here. */
import { buildApplication, buildRouteMap, run, text_en } from '@stricli/core';
import { freeLocks } from '../core/folder-lock-node.ts';
import { watchInputs } from '../core/input-files-node.ts';
import { visibleLine } from '../core/visible-text.ts';
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
import { guardStandardStreams } from './standard-streams.ts';
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
    // Colours are control characters, which text for a terminal does not hold: standard-streams.ts would show them.
    documentation: {
      caseStyle: 'convert-camel-to-kebab',
      useAliasInUsageLine: false,
      disableAnsiColor: true,
    },
    determineExitCode: exitCodeOf,
    localization: {
      loadText: () => ({
        ...text_en,
        exceptionWhileRunningCommand: message,
        commandErrorResult: message,
        exceptionWhileParsingArguments: describeUsageError,
        noCommandRegisteredForInput: (given) => visibleLine(text_en.noCommandRegisteredForInput(given)),
      }),
    },
  },
);

guardStandardStreams();
watchInputs();
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

const context: Context = { process, signal: stop.signal };
await run(
  application,
  process.argv.slice(2).filter((argument) => argument !== '--debug'),
  context,
);
freeLocks();
if (typeof process.exitCode === 'number' && process.exitCode < 0) process.exitCode = 2; // stricli's own: wrong usage
