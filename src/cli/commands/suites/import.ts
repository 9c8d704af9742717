import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { withFileLock } from '../../../files/file-lock.ts';
import { replaceFile } from '../../../files/write-files.ts';
import { checkWritten, importSuite, isFoundByRun } from '../../../importing/import-suite.ts';
import type { Importer } from '../../../importing/importer.ts';
import { importers } from '../../../importing/importers.ts';
import { openTraceImport, type TraceCounts } from '../../../importing/traces/import-traces.ts';
import { type TraceFormat, traceFormats } from '../../../importing/traces/read-trace-file.ts';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { usageError } from '../../../model/problem.ts';
import { findProjectRoot, refuseLinkOutside } from '../../../project/project-paths.ts';
import { shellWord } from '../../../text/code/command-line.ts';
import type { Io } from '../../io.ts';
import { printProblems } from '../../output/problems.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly output?: string;
  readonly partial?: boolean;
  readonly force?: boolean;
  /** True if neither flag is given: so the flags' library has it. */
  readonly expected?: string | boolean;
  readonly color: boolean;
}

export const define: DefineCommand = (command, context) => {
  const { io, exit } = context;
  command.addHelpText(
    'after',
    `
Nothing is run and nothing is sent. Parts that can't be converted with the same meaning are listed with their place, and the
import is refused.

Examples:
  $ llmcheck import promptfoo promptfooconfig.yaml
  $ llmcheck import promptfoo . --partial -o evals/router.eval.yaml
  $ llmcheck import openai-evals run.json
  $ llmcheck import jsonl data.jsonl --expected answer
  $ llmcheck import otel traces.json --prompt v1`,
  );
  for (const importer of importers) {
    const { name, description, input, example, takesExpected } = importer;
    const sub = command
      .command(name)
      .description(description)
      .argument('<path>', input)
      .option('-o, --output <file>', 'where to write (default: evals/<name>.eval.yaml)')
      .option('--partial', "write parts that can't be converted as comments instead of refusing the import")
      .option('--force', 'overwrite a file that exists')
      .option('--no-color', 'no colour')
      .addHelpText('after', `\nExample:\n  $ llmcheck import ${name} ${example}`)
      .action(async (path: string, flags: Flags) => exit(await importFile(importer, path, flags, io)));
    if (takesExpected === true)
      sub
        .option('--expected <field>', 'the field that holds the golden answer')
        .option('--no-expected', 'no field holds a golden answer');
  }
  defineTraceImports(command, context);
};

/** Writes the suite that another tool's file describes, and checks that it is valid. */
async function importFile(importer: Importer, path: string, flags: Flags, io: Io): Promise<number> {
  const { partial = false, color } = flags;
  const expected = flags.expected === true ? undefined : flags.expected;
  const { output } = flags;
  if (output !== undefined && !/\.ya?ml$/i.test(output))
    throw usageError(`-o ${output}: a suite is a YAML file`, 'write a name such as evals/router.eval.yaml');
  const imported = await importSuite({ importer, path, cwd: io.cwd, partial, ...defined({ expected, output }) });
  const { path: shown, code } = imported;
  const target = resolve(io.cwd, shown);
  const texts = new Map([[target, imported.text]]);
  for (const one of code) texts.set(resolve(io.cwd, one.path), one.text);
  const place = { root: findProjectRoot(io.cwd, undefined), cwd: io.cwd };
  for (const file of texts.keys()) refuseLinkOutside(file, place);
  // Writes only valid files, whatever parts were left out.
  const warnings = await checkWritten(texts, io.cwd);
  const findExisting = () => [shown, ...code.map((one) => one.path)].find((name) => existsSync(resolve(io.cwd, name)));
  const write = () => {
    const existing = flags.force === true ? undefined : findExisting();
    if (existing !== undefined)
      throw usageError(`${existing} already exists`, 'name another file with -o, or overwrite it with --force');
    // The suite names the code, so it comes last.
    for (const [file, text] of [...texts].toReversed()) replaceFile(file, text);
  };
  if (flags.force === true || existsSync(target)) write();
  // Another import may write the file in the meantime.
  else withFileLock(target, write);
  printProblems(imported.warnings, io, color);
  const { prompts, providers, cases } = imported.counts;
  const left = imported.leftOut === 0 ? '' : `; ${imported.leftOut} left out, as comments`;
  io.stdout.write(`wrote ${shown}: prompts ${prompts}, providers ${providers}, cases ${cases}${left}\n`);
  for (const one of code) io.stdout.write(`wrote ${one.path}: the code of the suite\n`);
  if (!(await isFoundByRun(target, io.cwd))) io.stderr.write(`to run it, name it: llmcheck run ${shellWord(shown)}\n`);
  printProblems(warnings, io, color);
  return exitCodes.passed;
}

interface TraceFlags {
  readonly prompt: string;
  readonly suite?: string;
  readonly output: string;
  readonly force?: boolean;
  readonly config?: string;
  readonly color: boolean;
}

const descriptions: Readonly<Record<TraceFormat, string>> = {
  otel: 'Calls of a model in OTLP JSON: one document, or JSON lines.',
  langfuse: 'Traces or observations that were exported from Langfuse.',
  langsmith: 'Runs that were exported from LangSmith.',
};

/** Adds the commands that make cases of production calls. */
const defineTraceImports: DefineCommand = (command, { io, exit }) => {
  for (const format of traceFormats) {
    command
      .command(format)
      .description(descriptions[format])
      .argument('<path>', 'the file')
      .requiredOption('--prompt <id>', 'the prompt that the calls were made with')
      .option('--suite <file>', 'the suite that has it (default: the only one that does)')
      .option('-o, --output <file>', 'where to write', 'evals/cases/prod.jsonl')
      .option('--force', 'overwrite a file that exists')
      .option('-c, --config <file>', 'config file')
      .option('--no-color', 'no colour')
      .addHelpText(
        'after',
        `
Variables are read back out of the messages. A call is left out where two readings fit, and where it repeats another one.
Keys and personal data are masked. The answer is kept as "expected", and judges nothing while the case has observe: true.

Example:
  $ llmcheck import ${format} export.json --prompt v1 -o evals/cases/prod.jsonl`,
      )
      .action(async (path: string, flags: TraceFlags) => exit(await importTraces(format, path, flags, io)));
  }
};

async function importTraces(format: TraceFormat, path: string, flags: TraceFlags, io: Io): Promise<number> {
  const { cwd } = io;
  const { prompt, suite, output, color } = flags;
  const target = resolve(cwd, output);
  refuseLinkOutside(target, { root: findProjectRoot(cwd, flags.config), cwd });
  if (!output.endsWith('.jsonl')) throw usageError(`${output} must end in .jsonl`, 'the cases are JSON lines');
  if (flags.force !== true && existsSync(target))
    throw usageError(`${output} already exists`, 'name another file with -o, or overwrite it with --force');
  const settings = { format, path, cwd, prompt, target, ...defined({ suite, configPath: flags.config }) };
  const opened = await openTraceImport(settings);
  const lines = opened.lines();
  const sample = takeSample(lines);
  // Mistakes are reported with their place before anything is written.
  const { isUsed, warnings } = await opened.check(sample.join(''));
  replaceFile(
    target,
    (function* all(): Generator<string> {
      yield* sample;
      yield* lines;
    })(),
  );
  const { counts } = opened;
  for (const [reason, { count, first }] of counts.refused)
    io.stderr.write(`left out ${count}: ${reason} (first at ${first})\n`);
  io.stdout.write(`wrote ${output}: ${describeCounts(counts)}\n`);
  if (!isUsed) io.stderr.write(`to run it, add to the cases of ${opened.suitePath}: ${opened.entry}\n`);
  printProblems(warnings, io, color);
  return exitCodes.passed;
}

const checkedCases = 1000;

function takeSample(lines: Generator<string>): readonly string[] {
  const taken: string[] = [];
  while (taken.length < checkedCases) {
    const next = lines.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

function describeCounts({ cases, exact, near, refused }: TraceCounts): string {
  const left = [...refused.values()].reduce((sum, { count }) => sum + count, 0);
  return `cases ${cases}; left out: exact duplicates ${exact}, near duplicates ${near}, others ${left}`;
}
