import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { UserError } from '../../model/problem.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface Environment {
  /** The process's variables, and those of the file that the process does not set. */
  readonly env: Env;
  /** The file's variables alone. */
  readonly fileEnv: Env;
  /** Names of the variables whose values are those of the file. */
  readonly fileVariables: ReadonlySet<string>;
}

/** Adds the variables of `--env-file` to those of the process. */
export function readEnvironment(file: unknown, { env, cwd }: { readonly env: Env; readonly cwd: string }): Environment {
  const fileEnv = typeof file === 'string' ? readEnvFile(file, cwd) : {};
  return {
    env: { ...fileEnv, ...env },
    fileEnv,
    fileVariables: new Set(Object.keys(fileEnv).filter((name) => env[name] === undefined)),
  };
}

function readEnvFile(file: string, cwd: string): Env {
  try {
    return parseEnv(readFileSync(resolve(cwd, file), 'utf8'));
  } catch (error) {
    const message = `--env-file ${file}: ${error instanceof Error ? error.message : String(error)}`;
    throw new UserError([{ code: 'file-unreadable', severity: 'error', message }], { cause: error });
  }
}
