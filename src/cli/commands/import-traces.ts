import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { openTraceImport, type TraceCounts } from '../../importing/traces/import-traces.ts';
import { type TraceFormat, traceFormats } from '../../importing/traces/read-trace-file.ts';
import { defined } from '../../json/defined.ts';
import { exitCodes } from '../../model/exit-code.ts';
import { usageError } from '../flags/flag-reader.ts';
import type { Io } from '../io.ts';
import { printProblems } from '../output/problems.ts';
import { writeFile } from '../output/write-file.ts';

interface Flags {
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
export function defineTraceImports(
  command: Command,
  { io, exit }: { readonly io: Io; readonly exit: (code: number) => void },
): void {
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
      .action(async (path: string, flags: Flags) => exit(await importTraces(format, path, flags, io)));
  }
}

async function importTraces(format: TraceFormat, path: string, flags: Flags, io: Io): Promise<number> {
  const { cwd } = io;
  const { prompt, suite, output, color } = flags;
  const target = resolve(cwd, output);
  if (!output.endsWith('.jsonl')) throw usageError(`${output} must end in .jsonl`, 'the cases are JSON lines');
  if (flags.force !== true && existsSync(target))
    throw usageError(`${output} already exists`, 'name another file with -o, or overwrite it with --force');
  const settings = { format, path, cwd, prompt, target, ...defined({ suite, configPath: flags.config }) };
  const opened = await openTraceImport(settings);
  const lines = opened.lines();
  const sample = takeLines(lines, checkedCases);
  // Mistakes are reported with their place before anything is written.
  const { isUsed, warnings } = await opened.check(sample.join(''));
  writeFile(
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

function takeLines(lines: Generator<string>, limit: number): readonly string[] {
  const taken: string[] = [];
  while (taken.length < limit) {
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
