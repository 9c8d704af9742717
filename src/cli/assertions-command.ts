import { defined } from '../json/defined.ts';
import { checkStrength, isMutationKind, type SuiteStrength, strengthKinds } from '../measuring/check-strength.ts';
import type { AnswerSource } from '../measuring/known-answers.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { loadProject } from '../project/load-project.ts';
import { describeStrength } from './describe-strength.ts';
import type { Io } from './io.ts';
import { warnOfNothing } from './warn-of-nothing.ts';

export interface StrengthFlags {
  readonly from?: Exclude<AnswerSource, 'auto'>;
  readonly run?: string;
  readonly skip?: string;
  readonly config?: string;
  readonly json?: boolean;
}

const strengthFormat = 1;

/** `llmcheck assertions check`: text for people, `--json` for scripts. */
export async function strengthCommand(paths: readonly string[], flags: StrengthFlags, io: Io): Promise<number> {
  const { config, run, from = run === undefined ? 'auto' : 'run' } = flags;
  const skipped = (flags.skip ?? '').split(',').flatMap((kind) => (kind.trim() === '' ? [] : [kind.trim()]));
  const unknown = skipped.filter((kind) => !isMutationKind(kind));
  if (unknown.length > 0)
    throw usage(`--skip: there is no ${unknown.join(', ')}`, `there are: ${strengthKinds.join(', ')}`);
  if (run !== undefined && from !== 'run') throw usage(`--run goes with --from run, not with --from ${from}`);
  const { project, warnings: loadWarnings } = await loadProject({
    paths,
    cwd: io.cwd,
    ...defined({ configPath: config }),
  });
  warnOfNothing(loadWarnings, io);
  const suites = await checkStrength({
    project,
    root: project.root,
    cwd: io.cwd,
    env: io.env,
    from,
    skipped: new Set(skipped.filter(isMutationKind)),
    ...defined({ run }),
  });
  const exitCode = decide(suites);
  if (flags.json === true) {
    io.stdout.write(`${JSON.stringify({ format: strengthFormat, exitCode, suites }, undefined, 2)}\n`);
  } else {
    io.stdout.write(describeStrength(suites));
  }
  return exitCode;
}

function decide(suites: readonly SuiteStrength[]): number {
  if (suites.some(({ weakCases, weakChecks }) => weakCases.length + weakChecks.length > 0)) return exitCodes.failed;
  return suites.every(({ measured }) => measured === 0) ? exitCodes.incomplete : exitCodes.passed;
}

function usage(message: string, hint?: string): UserError {
  return new UserError([{ code: 'usage', severity: 'error', message, ...defined({ hint }) }]);
}
