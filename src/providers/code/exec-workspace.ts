import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { CompletionOutcome } from '../../model/completion.ts';
import { UserError } from '../../model/problem.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import type { PlacedFile } from '../../model/workspace.ts';
import type { ProgramCall } from '../../programs/run-program.ts';
import { copyWorkspace } from '../../programs/workspace-copy.ts';
import { placeFiles, readWorkspaceFolder, type WorkspaceFolder } from '../../programs/workspace-folder.ts';
import { fail } from '../answer.ts';
import { describeText } from '../failures/read-api-error.ts';

/** Reads the folder that a program's calls work on copies of; throws a `UserError` where it can't be used. */
export function findWorkspace(written: string, config: ProviderConfig, projectRoot: string): WorkspaceFolder {
  const found = readWorkspaceFolder(resolve(config.folder, written), projectRoot);
  if (!('fault' in found)) return found;
  const problem = {
    code: 'invalid-value',
    severity: 'error',
    message: `The workspace ${written} of provider "${config.id}" ${found.fault}.`,
    hint: 'name a folder of the project that holds only what the program works on',
  } as const;
  throw new UserError([config.at === undefined ? problem : { ...problem, at: config.at }]);
}

export function listWorkspaceFiles(folder: WorkspaceFolder | undefined, projectRoot: string): readonly string[] {
  return folder === undefined ? [] : [...folder.files.keys()].map((path) => resolve(projectRoot, folder.name, path));
}

interface Workspace {
  readonly folder: WorkspaceFolder;
  /** What the call finds there beside the files of the folder. */
  readonly placed: readonly PlacedFile[];
  readonly projectRoot: string;
}

/** Lets a program work on a copy of the folder, and keeps what it did to the files as the state of its answer. */
export async function runInWorkspace(
  { folder, placed, projectRoot }: Workspace,
  call: ProgramCall,
  run: (call: ProgramCall) => Promise<CompletionOutcome>,
): Promise<CompletionOutcome> {
  const whole = placed.length === 0 ? folder : placeFiles(folder, placed, projectRoot);
  if ('fault' in whole) {
    const message = `the workspace ${folder.name} ${whole.fault}`;
    return fail({ kind: 'badRequest', message, retryable: false }, 0);
  }
  const copy = copyWorkspace(whole);
  try {
    // The program starts in the copy, so what its command names beside the suite is named by its whole path.
    const argv = call.argv.map((word, index) => (index === 0 ? word : findBeside(word, call.cwd)));
    const env = { ...call.env, ...copy.env };
    const outcome = await run({ ...call, argv, cwd: copy.folder, env, endsGroup: true });
    if (outcome.status === 'failed') return outcome;
    const program = describeText(call.argv.join(' '));
    if (outcome.completion.state !== undefined) {
      const message = `${program} reports a state, but its workspace is its state: leave out one of them`;
      return fail({ kind: 'malformed', message, retryable: false });
    }
    const changes = copy.readChanges();
    if ('fault' in changes) {
      const message = `${program} left a workspace that can't be kept with the answer: it ${changes.fault}`;
      return fail({ kind: 'malformed', message, retryable: false });
    }
    const { placed: put, changed, created, ...rest } = changes;
    const workspace = {
      ...rest,
      ...(put === undefined ? {} : { placed: put.map((file) => ({ ...file })) }),
      changed: { ...changed },
      created: { ...created },
    };
    return { ...outcome, completion: { ...outcome.completion, state: { workspace } } };
  } finally {
    copy.remove();
  }
}

function findBeside(word: string, folder: string): string {
  return !isAbsolute(word) && existsSync(join(folder, word)) ? join(folder, word) : word;
}
