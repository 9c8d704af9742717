import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { env } from 'node:process';
import { privateFolder, statePath } from '../files/state-folder.ts';
import { makeFolder } from '../files/write-files.ts';
import { writeJson } from '../json/canonical-json.ts';
import type { PromptAnswer, PromptJob, RenderedPrompts } from '../model/suite/own-code.ts';
import { ModuleWorker } from './module-worker.ts';
import { describeFailedExit, describeUnfinished, openProgramRunner, readJsonOutput, selectEnv } from './run-program.ts';

/** Limit for all cases of a job, or for one case if that is too little. */
export const promptTimeoutMs = 10_000;
const commandTimeoutMs = 60_000;
const memoryMb = 1024;
const maxReturnedBytes = 256 * 1024 * 1024;
const casesPerJob = 500;

/** Large enough to change date, weekday, month and hour. */
const clockOffsetMs = (401 * 24 + 12) * 3_600_000 + 13 * 60_000;

/**
 * Calls a prompt in code twice for each case. The second call runs in another process, in reverse order and with
 * another clock. So a prompt that depends on chance, time or earlier calls returns other messages.
 */
export async function renderPrompts(job: PromptJob, timeoutMs = promptTimeoutMs): Promise<RenderedPrompts> {
  const { module, vars } = job;
  if (module === undefined) {
    const [first, second] = await Promise.all([runCommand(job, vars), runCommand(job, vars)]);
    return { first, second };
  }
  if (module.files === undefined)
    return runModule({ file: module.file, exportName: module.exportName, timeoutMs }, vars);
  const folder = writeFiles(module.files, job);
  try {
    const file = join(folder, relative(job.boundary, module.file));
    return await runModule({ file, exportName: module.exportName, timeoutMs }, vars);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes files inside the project, so imports find the same packages as from the module's own place. */
function writeFiles(
  files: NonNullable<NonNullable<PromptJob['module']>['files']>,
  { root, boundary }: PromptJob,
): string {
  const state = statePath(root);
  makeFolder(state, privateFolder);
  const folder = mkdtempSync(join(state, 'prompt-'));
  for (const { path, text } of files) {
    const target = join(folder, relative(boundary, path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  return folder;
}

async function runModule(called: ModulePrompt, vars: PromptJob['vars']): Promise<RenderedPrompts> {
  const again = { ...called, clockOffsetMs };
  const [first, reversed] = await Promise.all([
    callInParts({ ...called, clockOffsetMs: 0, wantsDigests: false }, vars),
    callInParts({ ...again, wantsDigests: true }, vars.toReversed()),
  ]);
  const digests = reversed.toReversed();
  const others = vars.flatMap((_, index) => (isOther(first[index], digests[index]) ? [index] : []));
  const shown = others.slice(0, maxShown);
  const isShown = new Set(shown);
  const asked = vars.filter((_, index) => isShown.has(index)).toReversed();
  const found = asked.length === 0 ? [] : await callInParts({ ...again, wantsDigests: false }, asked);
  const texts = new Map(shown.map((index, at) => [index, found.toReversed()[at]]));
  const isDifferent = new Set(others);
  const second = digests.map((answer, index): PromptAnswer => {
    if (answer.digest === undefined) return answer;
    if (!isDifferent.has(index)) return { ...answer, isSame: true };
    const text = texts.get(index);
    // A random prompt may return the same messages in the third call.
    return text !== undefined && isOther(first[index], text) ? text : { ...answer, fault: 'made other messages' };
  });
  return { first, second };
}

/** Most differences to show. Second messages are requested only for these. */
const maxShown = 100;

function isOther(first: PromptAnswer | undefined, second: PromptAnswer | undefined): boolean {
  return first?.digest !== undefined && second?.digest !== undefined && first.digest !== second.digest;
}

interface ModulePrompt {
  readonly file: string;
  readonly exportName: string;
  readonly timeoutMs: number;
}

interface Called extends ModulePrompt {
  readonly clockOffsetMs: number;
  readonly wantsDigests: boolean;
}

async function callInParts(called: Called, vars: PromptJob['vars']): Promise<readonly PromptAnswer[]> {
  const answers: PromptAnswer[] = [];
  let worker = openWorker(called);
  try {
    for (let start = 0; start < vars.length; start += casesPerJob) {
      const part = vars.slice(start, start + casesPerJob);
      const found = await callPart(worker, called, part);
      if (!('fault' in found)) {
        answers.push(...found.answers);
        continue;
      }
      // One case hangs or ends the process. Call each alone to find it.
      for (const one of part) {
        if (!worker.isAlive) worker = openWorker(called);
        const alone = await callPart(worker, called, [one]);
        answers.push('fault' in alone ? alone : (alone.answers[0] ?? { fault: 'returned nothing' }));
        if (!('fault' in alone)) continue;
        // Stop here: each further case may take as long.
        const stopped = { fault: 'was not called, since another case stopped it', isFollowing: true } as const;
        while (answers.length < vars.length) answers.push(stopped);
        return answers;
      }
    }
    return answers;
  } finally {
    worker.kill();
  }
}

function openWorker({ file }: Called): ModuleWorker {
  return new ModuleWorker({ file, memoryMb }, selectEnv({}, []));
}

async function callPart(
  worker: ModuleWorker,
  { file, exportName, timeoutMs, ...prompts }: Called,
  vars: PromptJob['vars'],
): Promise<{ readonly answers: readonly PromptAnswer[] } | { readonly fault: string }> {
  const job = { file, exportName, input: vars, timeoutMs, memoryMb, noun: 'prompt', maxReturnedBytes };
  const { outcome } = await worker.run({ ...job, prompts });
  return 'fault' in outcome ? outcome : { answers: outcome.returned as readonly PromptAnswer[] };
}

/** Runs one process for all cases: one JSON line each on stdin and on stdout. */
async function runCommand({ argv = [], folder }: PromptJob, vars: PromptJob['vars']): Promise<readonly PromptAnswer[]> {
  const runner = openProgramRunner();
  const result = await runner.run({
    argv,
    cwd: folder,
    env: selectEnv(env, []),
    input: vars.map((one) => `${writeJson(one) ?? 'null'}\n`).join(''),
    signal: AbortSignal.timeout(commandTimeoutMs),
    maxOutputBytes: maxReturnedBytes,
    maxMemoryBytes: memoryMb * 1024 * 1024,
  });
  const fail = (fault: string): readonly PromptAnswer[] => vars.map(() => ({ fault }));
  if (result.status !== 'ended') {
    const late = `took longer than ${commandTimeoutMs / 1000} s for ${vars.length} cases`;
    return fail(describeUnfinished(result, { late, memoryMb, maxOutputBytes: maxReturnedBytes }));
  }
  const { stdout, exitCode, fault } = result;
  if (fault !== undefined) return fail(`wrote what can't be read: ${fault}`);
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  const answers = lines.slice(0, vars.length).map(readJsonOutput);
  if (exitCode !== 0) {
    const ended = { fault: describeFailedExit(result) };
    const following = { fault: 'was not asked, since the program had ended', isFollowing: true } as const;
    return vars.map((_, index) => answers[index] ?? (index === answers.length ? ended : following));
  }
  if (lines.length !== vars.length) return fail(`wrote ${lines.length} lines for ${vars.length} cases`);
  return answers;
}
