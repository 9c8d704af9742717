import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import type { CompletionOutcome, ProviderFailure } from '../../model/run/completion.ts';
import { defaultAnswerLimits, maxBodyBytes, showBytes, tooLargeFailure } from '../../model/suite/limits.ts';
import type { Adapter } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import type { PlacedFile } from '../../model/suite/workspace.ts';
import {
  canCutNetwork,
  describeFailedExit,
  openProgramRunner,
  type ProgramCall,
  type ProgramResult,
  selectEnv,
  withoutNetwork,
} from '../../programs/run-program.ts';
import { copyWorkspace } from '../../programs/workspace-copy.ts';
import { placeFiles, readWorkspaceFolder, type WorkspaceFolder } from '../../programs/workspace-folder.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { lastOutput } from '../../text/code/last-output.ts';
import { fail } from '../answer.ts';
import { classifyAbort } from '../failures/classify-failure.ts';
import { describeText } from '../failures/read-api-error.ts';
import { type ExecOutput, execOutputs, nameOutcome, readExecOutput, readFailedTranscript } from './answer-object.ts';
import { buildInput, findMissingEnv } from './code-call.ts';
import { hashCode, hashEnv } from './hash-code.ts';

const options = z
  .strictObject({
    /** `auto` reads an answer object or an agent's transcript if stdout is one, else text. */
    output: z.enum(execOutputs).default('auto'),
    /** Further environment variables that the program gets. */
    env: z.array(z.string().min(1)).default([]),
    /** Case variables passed with the messages. */
    vars: z.array(z.string().min(1)).min(1).optional(),
    /** Further files and folders that determine the answer, such as imported modules. */
    files: z.array(z.string().min(1)).default([]),
    /** Patterns of further files that determine the answer: data, and what can't be followed. */
    inputs: z.array(z.string().min(1)).min(1).optional(),
    /** Folder that each call gets a fresh copy of. */
    workspace: z.string().min(1).optional(),
    /** Whether a program with a workspace has network access. Default: no, if the system can block it. */
    network: z.boolean().optional(),
  })
  .refine(({ network, workspace }) => network === undefined || workspace !== undefined, {
    error: 'only a program with a workspace can be kept from the network',
    path: ['network'],
  });

/**
 * Any program as a provider: the request as JSON on stdin, the answer on stdout. It runs in the suite's folder without
 * a shell. Its environment has only the basic variables and those in `env`, so no key reaches it by accident.
 */
export const exec: Adapter = {
  summary: 'a program: the request as JSON on stdin, the answer (text, or JSON with a "text") on stdout',
  example: 'exec:node answer.mjs',
  options,
  varsOf: (config) => options.parse(config.options).vars,
  resolve(config, { env: values, projectRoot }) {
    const argv = parseCommand(config);
    const { output, env, files, inputs, workspace, vars, network } = options.parse(config.options);
    const isOpen = workspace !== undefined && network !== true && !canCutNetwork(values);
    if (isOpen && network === false) refuseNetwork(config);
    const named = files.map((path) => resolve(config.folder, path));
    const code = hashCode({ folder: config.folder, argv, named, ...defined({ inputs }) }, projectRoot);
    const folder = workspace === undefined ? undefined : findWorkspace(workspace, config, projectRoot);
    const reach = network === true ? ['network'] : [];
    const place = folder === undefined ? [] : [`workspace-${folder.hash}`, folder.name, ...reach];
    const hashes = [...hashEnv(values, env), code.hash, ...place];
    return {
      adapterVersion: ['exec-3', output, ...hashes].join(':'),
      priceProvider: 'exec',
      sends: true,
      files: [...code.files, ...listWorkspaceFiles(folder, projectRoot)],
      folders: folder === undefined ? [] : [resolve(projectRoot, folder.name)],
      ...defined({
        globs: code.globs,
        unfollowed: code.unfollowed,
        vars,
        remark: isOpen ? describeNetwork(config) : undefined,
      }),
    };
  },
  connect(config, env) {
    const argv = parseCommand(config);
    const settings = options.parse(config.options);
    const childEnv = selectEnv(env.env, settings.env);
    const runner = openProgramRunner();
    const maxOutputBytes = maxBodyBytes(config.limits.maxAnswer ?? defaultAnswerLimits);
    const folder =
      settings.workspace === undefined ? undefined : findWorkspace(settings.workspace, config, env.projectRoot);
    return Promise.resolve({
      async complete(request, signal) {
        if (signal.aborted) return fail(classifyAbort(signal), 0);
        const missing = findMissingEnv(settings.env, childEnv);
        if (missing !== undefined) return missing;
        const input = JSON.stringify({ model: request.model, ...buildInput(request) });
        const call = { argv, cwd: config.folder, env: childEnv, input, signal, maxOutputBytes };
        const cut = (changed: ProgramCall) =>
          settings.network === true ? changed : (withoutNetwork(changed) ?? changed);
        const run = async (changed: ProgramCall) =>
          readResult(await runner.run(folder === undefined ? changed : cut(changed)), call, settings.output);
        if (folder === undefined) return run(call);
        const { projectRoot } = env;
        return runInWorkspace({ folder, placed: request.workspace ?? [], projectRoot }, call, run);
      },
      close() {
        runner.close();
        return Promise.resolve();
      },
    });
  },
};

const networkHint = 'write network: true if it may use it, or start it in a container: docker run --network none';

function describeNetwork({ id }: ProviderConfig): string {
  return `provider ${id}: the program has the network, which this system can't keep from it; ${networkHint}`;
}

function refuseNetwork({ id, at }: ProviderConfig): never {
  const message = `The network can't be kept from the program of provider "${id}" here: it takes Linux, unshare and user namespaces.`;
  throw new UserError({ code: 'environment', message, hint: networkHint, ...defined({ at }) });
}

/** EX_TEMPFAIL of sysexits.h: try again later. */
const temporaryFailure = 75;

function parseCommand(config: ProviderConfig): readonly string[] {
  const words = splitCommand(config.model);
  const [program, ...args] = words ?? [];
  if (program === undefined || program === '') {
    const found = words === undefined ? 'leaves a quote open' : 'names no program';
    throw new UserError({
      code: 'invalid-value',
      message: `The command of provider "${config.id}" ${found}: ${JSON.stringify(config.model)}.`,
      hint: 'write it like exec:node answer.mjs "an argument"',
      ...defined({ at: config.at }),
    });
  }
  // A bare name is found in PATH; a relative path starts at the suite's folder.
  const isPath = /[/\\]/.test(program) && !isAbsolute(program);
  return [isPath ? resolve(config.folder, program) : program, ...args];
}

function readResult(
  result: ProgramResult,
  { argv, signal, maxOutputBytes }: ProgramCall,
  output: ExecOutput,
): CompletionOutcome {
  const program = describeText(argv.join(' '));
  if (result.status === 'aborted') return fail(classifyAbort(signal));
  if (result.status === 'too-much-memory') return fail({ kind: 'server', message: `${program} took too much memory` });
  if (result.status === 'too-much-output') {
    return fail(tooLargeFailure(program, `wrote more than ${showBytes(maxOutputBytes)}`));
  }
  if (result.status === 'unstartable') {
    return fail({ kind: 'notFound', message: `${program} can't be started: ${result.message}` });
  }
  if (result.exitCode !== 0) {
    // Agents report on stdout why they stopped.
    const failure = readFailedTranscript(result.stdout, output);
    return failure === undefined ? fail(readExit(result, program)) : nameOutcome(program, { failure });
  }
  if (result.fault !== undefined) {
    return fail({ kind: 'malformed', message: `${program} wrote an answer that can't be read: ${result.fault}` });
  }
  return nameOutcome(program, readExecOutput(result.stdout, output, result.latencyMs));
}

function readExit(result: ProgramResult & { readonly status: 'ended' }, program: string): ProviderFailure {
  const { exitCode } = result;
  return {
    kind: 'server',
    message: `${program} ${describeFailedExit({ ...result, stderr: describeText(lastOutput(result.stderr)) })}`,
    // A failed program usually fails again, unless its exit code says that the failure is temporary.
    ...defined({ retryable: exitCode === null || exitCode === temporaryFailure ? undefined : false }),
  };
}

/** Reads the workspace folder. Throws a `UserError` if it is unusable. */
function findWorkspace(written: string, config: ProviderConfig, projectRoot: string): WorkspaceFolder {
  const found = readWorkspaceFolder(resolve(config.folder, written), projectRoot);
  if (!('fault' in found)) return found;
  throw new UserError({
    code: 'invalid-value',
    message: `The workspace ${written} of provider "${config.id}" ${found.fault}.`,
    hint: 'name a folder of the project that holds only what the program works on',
    ...defined({ at: config.at }),
  });
}

function listWorkspaceFiles(folder: WorkspaceFolder | undefined, projectRoot: string): readonly string[] {
  return folder === undefined ? [] : [...folder.files.keys()].map((path) => resolve(projectRoot, folder.name, path));
}

interface Workspace {
  readonly folder: WorkspaceFolder;
  /** Files placed into each copy. */
  readonly placed: readonly PlacedFile[];
  readonly projectRoot: string;
}

/** Runs a program in a copy of the folder. Its changes to files become the answer's state. */
async function runInWorkspace(
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
    // The program starts in the copy, so paths relative to the suite become absolute.
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
      ...defined({ placed: put?.map((file) => ({ ...file })) }),
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
