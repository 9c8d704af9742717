import { checkContracts } from '../contracts/check-contracts.ts';
import { diffSchemas } from '../contracts/diff-schemas.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { ContractPolicy, ContractReport, Direction } from '../model/finding.ts';
import { loadProject } from '../project/load-project.ts';
import { contractReporters } from '../reports/index.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { wantsColor } from './style.ts';
import { parseRequests, writeReports } from './write-reports.ts';

export interface ContractFlags {
  readonly against?: string;
  readonly config?: string;
  readonly direction?: Direction;
  readonly policy?: ContractPolicy;
  readonly strictConsumers?: boolean;
  readonly ignore?: readonly string[];
  readonly approve?: readonly string[];
  readonly reporter: readonly string[];
  readonly quiet?: boolean;
  readonly color?: boolean;
}

/** `llmcheck contract check`: the contracts of a project's prompts. */
export async function checkCommand(paths: readonly string[], flags: ContractFlags, io: Io): Promise<number> {
  const requests = parseFormats(flags);
  const { against, config } = flags;
  const configPath = config === undefined ? {} : { configPath: config };
  const { project, warnings } = await loadProject({ paths, cwd: io.cwd, ...configPath });
  if (warnings.length > 0) {
    io.stderr.write(describeProblems(warnings, { color: wantsColor(io.stderr, io.env, flags.color !== false) }));
  }
  if (project.suites.length === 0) {
    io.stderr.write('no suite was found: llmcheck looks for evals/**/*.eval.yaml; `llmcheck init` writes one\n');
    return exitCodes.incomplete;
  }
  const report = await checkContracts({
    project,
    paths,
    ...defined({ against }),
    ...configPath,
    cwd: io.cwd,
    env: io.env,
  });
  return write(report, requests, flags, io);
}

/** `llmcheck contract diff`: two schema files. */
export async function diffCommand(
  paths: { readonly old: string; readonly replacement: string },
  flags: ContractFlags,
  io: Io,
): Promise<number> {
  const requests = parseFormats(flags);
  const { direction = 'input', policy, strictConsumers, ignore = [], approve = [] } = flags;
  const report = diffSchemas({
    paths,
    direction,
    ...defined({ policy, strictConsumers }),
    ignore,
    approved: approve,
    cwd: io.cwd,
  });
  return write(report, requests, flags, io);
}

type Requests = ReturnType<typeof parseFormats>;

function parseFormats(flags: ContractFlags) {
  const { requests, problems } = parseRequests(flags.reporter, contractReporters);
  if (problems.length > 0) throw new UserError(problems);
  return requests;
}

async function write(report: ContractReport, requests: Requests, flags: ContractFlags, io: Io): Promise<number> {
  await writeReports(report, requests, {
    io,
    // Contracts hold names of variables and schemas, never a key.
    mask: (text) => text,
    color: flags.color !== false,
    quiet: flags.quiet === true,
    verbose: false,
  });
  return report.exitCode;
}
