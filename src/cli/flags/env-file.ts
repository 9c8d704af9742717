import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { UserError } from '../model/errors.ts';
import type { FlagValue } from './flag-values.ts';

/** Variables of `--env-file`; the caller lets those of the process win. */
export function readEnvFile(file: FlagValue | undefined, cwd: string): Readonly<Record<string, string | undefined>> {
  if (typeof file !== 'string') return {};
  try {
    return parseEnv(readFileSync(resolve(cwd, file), 'utf8'));
  } catch (error) {
    const message = `--env-file ${file}: ${error instanceof Error ? error.message : String(error)}`;
    throw new UserError([{ code: 'file-unreadable', severity: 'error', message }], { cause: error });
  }
}
