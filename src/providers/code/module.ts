import { existsSync, realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import type { CompletionOutcome } from '../../model/run/completion.ts';
import { defaultAnswerLimits, maxBodyBytes, tooLargeFailure } from '../../model/suite/limits.ts';
import type { CodeOutcome } from '../../model/suite/own-code.ts';
import type { Adapter, ProviderEnv } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { createWorkerPool } from '../../programs/module-worker.ts';
import { selectEnv } from '../../programs/run-program.ts';
import { fail } from '../answer.ts';
import { classifyAbort } from '../failures/classify-failure.ts';
import { describeText } from '../failures/read-api-error.ts';
import { leavesRoot } from '../outgoing-request.ts';
import { nameOutcome, readReturned } from './answer-object.ts';
import { buildInput, findMissingEnv } from './code-call.ts';
import { hashCode, hashEnv } from './hash-code.ts';

const options = z.strictObject({
  /** Export to call with each request. */
  export: z.string().min(1).default('default'),
  /** Further environment variables that the function gets. */
  env: z.array(z.string().min(1)).default([]),
  /** Case variables passed with the messages. */
  vars: z.array(z.string().min(1)).min(1).optional(),
  /** Further files and folders that determine the answer. Relative imports are found automatically. */
  files: z.array(z.string().min(1)).default([]),
  /** Patterns of further files that determine the answer: data, and what can't be followed. */
  inputs: z.array(z.string().min(1)).min(1).optional(),
  memoryMb: z.int().min(16).default(512),
});

const defaultConcurrency = 4;
/** Never reached: each request's signal has its own deadline. */
const lastDeadlineMs = 24 * 60 * 60 * 1000;

/**
 * A function of the user's app as a provider. It runs in child processes with a memory limit. A process takes one
 * request at a time and is reused. At the deadline it is killed with its children.
 */
export const module: Adapter = {
  summary: 'a function that a JavaScript or TypeScript file exports: the request in, the answer out',
  example: 'module:app/answer.ts',
  options,
  varsOf: (config) => options.parse(config.options).vars,
  resolve(config, { env: values, projectRoot }) {
    const { export: exportName, env, files, inputs, vars } = options.parse(config.options);
    const file = findFile(config, projectRoot);
    const named = files.map((path) => resolve(config.folder, path));
    const code = hashCode({ folder: config.folder, file, named, ...defined({ inputs }) }, projectRoot);
    return {
      adapterVersion: ['module-3', exportName, ...hashEnv(values, env), code.hash].join(':'),
      priceProvider: 'module',
      sends: true,
      files: code.files,
      ...defined({ globs: code.globs, unfollowed: code.unfollowed, vars }),
    };
  },
  connect(config, env) {
    const settings = options.parse(config.options);
    const file = findFile(config, env.projectRoot);
    const childEnv = selectEnv(env.env, settings.env);
    const { memoryMb } = settings;
    const maxReturnedBytes = maxBodyBytes(config.limits.maxAnswer ?? defaultAnswerLimits);
    const pool = createWorkerPool({ file, memoryMb }, childEnv, config.limits.concurrency ?? defaultConcurrency);
    return Promise.resolve({
      async complete(request, signal) {
        if (signal.aborted) return fail(classifyAbort(signal), 0);
        const missing = findMissingEnv(settings.env, childEnv);
        if (missing !== undefined) return missing;
        const startedAt = performance.now();
        const outcome = await pool.run({
          file,
          exportName: settings.export,
          input: buildInput(request),
          timeoutMs: lastDeadlineMs,
          memoryMb,
          noun: 'answer',
          maxReturnedBytes,
          signal,
        });
        if (signal.aborted) return fail(classifyAbort(signal));
        return readOutcome(outcome, describeText(config.model), performance.now() - startedAt);
      },
      close() {
        pool.close();
        return Promise.resolve();
      },
    });
  },
};

function findFile(config: ProviderConfig, projectRoot: ProviderEnv['projectRoot']): string {
  const file = resolve(config.folder, config.model);
  const exists = existsSync(file);
  // A link must not lead out of the project.
  const below = exists ? relative(realpathSync(projectRoot), realpathSync(file)) : relative(projectRoot, file);
  const isOutside = leavesRoot(below);
  if (exists && !isOutside) return file;
  throw new UserError({
    code: isOutside ? 'file-outside-project' : 'file-unreadable',
    message: `The module of provider "${config.id}" ${isOutside ? 'is outside the project' : 'does not exist'}: ${config.model}.`,
    hint: 'name a .js, .mjs or .ts file, from the folder of the file that names it',
    ...defined({ at: config.at }),
  });
}

function readOutcome(outcome: CodeOutcome, name: string, latencyMs: number): CompletionOutcome {
  if ('fault' in outcome) {
    if (outcome.isTooLarge === true) return fail(tooLargeFailure(name, outcome.fault));
    return fail({ kind: 'server', message: `${name} ${describeText(outcome.fault)}`, retryable: false });
  }
  return nameOutcome(name, readReturned(outcome.returned, latencyMs));
}
