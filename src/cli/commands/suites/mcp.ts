import { resolve } from 'node:path';
import type { Command } from 'commander';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { type Problem, UserError, usageProblem } from '../../../model/problem.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { defaultTimeoutMs, findSnapshots } from '../../../snapshots/find-drift.ts';
import { openMcpPorts, parseServer } from '../../../snapshots/read-server.ts';
import {
  readSnapshotFile,
  type SnapshotOptions,
  type TakenSnapshot,
  takeSnapshot,
} from '../../../snapshots/take-snapshot.ts';
import { formatCount } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import type { Io } from '../../io.ts';
import { loadSuites } from '../../load-suites.ts';
import { printProblems } from '../../output/problems.ts';
import { collect } from '../../output/reports.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly output?: string;
  readonly header: readonly string[];
  readonly env: readonly string[];
  readonly timeout?: string;
  readonly config?: string;
  readonly quiet?: boolean;
}

export const define: DefineCommand = (mcp, { io, exit }) => {
  mcp.addHelpText('after', '\nExample:\n  $ llmcheck mcp snapshot "exec:node server.js" -o tools/orders.mcp.json');
  addSnapshot(mcp).action(async (source: string | undefined, flags: Flags) => exit(await snapshot(source, flags, io)));
};

function addSnapshot(mcp: Command): Command {
  return mcp
    .command('snapshot')
    .description('Write the tools of a server into a file that suites use.')
    .argument('[source]', 'exec:COMMAND, or the URL of a server that speaks streamable HTTP')
    .option('-o, --output <file>', 'the file; without it, the snapshot is printed')
    .option(
      '--header <header>',
      "a header for a URL, such as 'Authorization: Bearer ${NAME}' (repeatable)",
      collect,
      [],
    )
    .option('--env <name>', 'a variable that the command may see (repeatable)', collect, [])
    .option('--timeout <duration>', 'the longest wait for an answer of the server (default 30s)')
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'print problems only')
    .addHelpText(
      'after',
      `
Without a source, -o FILE writes that file again, and no -o every file that suites use.
\${NAME} stands for the value of a variable. Only its name is stored; a header without one is not stored at all.

Examples:
  $ llmcheck mcp snapshot "exec:node server.js" -o tools/orders.mcp.json
  $ llmcheck mcp snapshot https://example.com/mcp --header 'Authorization: Bearer \${TOKEN}' -o tools/shop.mcp.json
  $ llmcheck mcp snapshot`,
    );
}

async function snapshot(source: string | undefined, flags: Flags, io: Io): Promise<number> {
  const reader = openFlagReader();
  const timeoutMs = flags.timeout === undefined ? defaultTimeoutMs : reader.readDuration('--timeout', flags.timeout);
  reader.check();
  const ports = openMcpPorts(findProjectRoot(io.cwd, flags.config), io.env);
  const wanted = await findWanted(source, flags, { timeoutMs, io });
  const problems: Problem[] = [];
  for (const options of wanted) {
    try {
      const taken = await takeSnapshot(options, ports);
      printProblems(taken.warnings, io);
      printTaken(taken, flags.quiet === true, io);
      printUnstored(options, flags.quiet === true, io);
    } catch (error) {
      // The others are still written.
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return exitCodes.passed;
}

async function findWanted(
  source: string | undefined,
  { output, header, env, config }: Flags,
  { timeoutMs, io }: { readonly timeoutMs: number; readonly io: Io },
): Promise<readonly SnapshotOptions[]> {
  const { cwd } = io;
  const file = output === undefined ? undefined : resolve(cwd, output);
  if (source !== undefined) {
    const parsed = parseServer({ source, headers: header, env }, cwd);
    return [{ ...parsed, ...defined({ file }), timeoutMs, cwd }];
  }
  if (header.length + env.length > 0) {
    throw new UserError([usageProblem('--header and --env need a source', 'name the command or URL of the server')]);
  }
  if (file !== undefined) return [{ server: readSnapshotFile(file, cwd).server, headers: {}, file, timeoutMs, cwd }];
  const used = findSnapshots(await loadSuites([], config, io));
  if (used.length > 0)
    return used.map((one) => ({ server: one.snapshot.server, headers: {}, file: one.file, timeoutMs, cwd }));
  const hint = 'write llmcheck mcp snapshot "exec:node server.js" -o tools/orders.mcp.json';
  throw new UserError([usageProblem('no suite uses a snapshot, so there is none to write again', hint)]);
}

/** `validate --live` and later snapshots will not send it. */
function printUnstored({ headers, file }: SnapshotOptions, isQuiet: boolean, io: Io): void {
  const names = Object.keys(headers);
  if (names.length === 0 || isQuiet || file === undefined) return;
  io.stdout.write(`  not stored: the header ${names.join(', ')}; 'NAME: \${VARIABLE}' would be, without the value\n`);
}

function printTaken({ snapshot: taken, text, shown, state, changes }: TakenSnapshot, isQuiet: boolean, io: Io): void {
  if (shown === undefined) {
    io.stdout.write(text);
    return;
  }
  if (isQuiet) return;
  const { name, version } = taken.info;
  const server = toSafeLine([name, version].filter((part) => part !== undefined && part !== '').join(' '));
  io.stdout.write(
    `${toSafeLine(shown)}: ${formatCount(taken.tools.length, 'tool')} of ${server || 'the server'}, ${state}\n`,
  );
  for (const line of changes) io.stdout.write(`  ${toSafeLine(line)}\n`);
}
