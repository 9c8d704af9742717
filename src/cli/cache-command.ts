import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { importAnswers, openCacheMaintenance } from '../importing/import-answers.ts';
import { defined } from '../json/defined.ts';
import { describeSharedCache, type SharedCacheState } from '../listing/describe-shared-cache.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { DurationError, parseDurationMs } from '../text/duration.ts';
import { describeBytes } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import type { Io } from './io.ts';
import { writeFile } from './write-file.ts';

type Flags = Readonly<Record<string, unknown>>;

/** `llmcheck cache …` */
export async function cacheCommand(action: string, file: string | undefined, flags: Flags, io: Io): Promise<number> {
  const config = typeof flags['config'] === 'string' ? flags['config'] : undefined;
  const cache = openCacheMaintenance(findProjectRoot(io.cwd, config), io.now);
  const print = (line: string) => io.stdout.write(`${line}\n`);
  switch (action) {
    case 'stats': {
      const stats = cache.stats();
      const shared = await describeSharedCache({
        cwd: io.cwd,
        env: io.env,
        ...defined({ configPath: config }),
      });
      if (flags['json'] === true) {
        print(JSON.stringify({ ...stats, ...defined({ shared }) }, undefined, 2));
        break;
      }
      print(
        `${stats.entries} entries, ${describeBytes(stats.bytes)}${stats.damaged > 0 ? `, ${stats.damaged} damaged (llmcheck cache verify)` : ''}`,
      );
      if (stats.oldest !== undefined && stats.newest !== undefined) print(`from ${stats.oldest} to ${stats.newest}`);
      for (const { model, entries, bytes } of stats.models)
        print(`  ${toSafeLine(model)}  ${entries} entries, ${describeBytes(bytes)}`);
      if (shared !== undefined) print(`shared: ${toSafeLine(describeShared(shared))}`);
      break;
    }
    case 'list':
      listEntries(cache.list(), flags, print);
      break;
    case 'clear': {
      const { removed, bytes } = cache.clear();
      print(`removed ${removed} entries, ${describeBytes(bytes)}`);
      break;
    }
    case 'prune': {
      const { removed, bytes } = cache.prune(pruneLimits(flags));
      print(`removed ${removed} entries, ${describeBytes(bytes)}`);
      break;
    }
    case 'verify': {
      const { checked, damaged } = cache.verify({ remove: flags['fix'] === true });
      for (const { path, reason } of damaged) print(`${path}: ${reason}`);
      print(`${checked} entries checked, ${damaged.length} damaged${flags['fix'] === true ? ' and removed' : ''}`);
      return damaged.length > 0 && flags['fix'] !== true ? exitCodes.failed : exitCodes.passed;
    }
    case 'export':
      exportLines(cache.exportLines(), file, io);
      break;
    case 'import':
      return importFile(file ?? '', config, io);
    default:
      throw new Error(`cache ${action} has no implementation`);
  }
  return exitCodes.passed;
}

function describeShared({ address, entries, isMore, fault }: SharedCacheState): string {
  const name = address === undefined ? '' : `${address}, `;
  if (fault !== undefined) return `${name}not usable: ${fault}`;
  return `${name}${isMore === true ? 'at least ' : ''}${entries ?? 0} entries`;
}

function listEntries(
  entries: ReturnType<ReturnType<typeof openCacheMaintenance>['list']>,
  flags: Flags,
  print: (line: string) => void,
): void {
  const limit = Number(flags['limit']);
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw usage(`--limit: "${String(flags['limit'])}" is not a number of entries`);
  let listed = 0;
  for (const { entry, bytes } of entries) {
    if (listed >= limit) break;
    listed += 1;
    const { key, createdAt, request, completion } = entry;
    if (flags['json'] === true)
      print(
        JSON.stringify({
          key,
          createdAt,
          bytes,
          adapter: request.adapter,
          model: request.model,
          trial: request.trial,
          text: completion.text,
        }),
      );
    else
      print(
        `${key.slice(0, 12)}  ${createdAt}  ${toSafeLine(`${request.adapter}:${request.model}`)}  ${toSafeLine(completion.text).slice(0, 60)}`,
      );
  }
}

function pruneLimits(flags: Flags): { maxAgeMs?: number; maxBytes?: number } {
  const { olderThan, maxSize } = flags;
  if (olderThan === undefined && maxSize === undefined)
    throw usage('cache prune: say what to remove: --older-than 720h or --max-size 500');
  const megabytes = maxSize === undefined ? undefined : Number(maxSize);
  if (megabytes !== undefined && !(megabytes >= 0))
    throw usage(`--max-size: "${String(maxSize)}" is not a number of megabytes`);
  try {
    return {
      ...(olderThan === undefined ? {} : { maxAgeMs: parseDurationMs(olderThan) }),
      ...(megabytes === undefined ? {} : { maxBytes: megabytes * 1e6 }),
    };
  } catch (error) {
    if (error instanceof DurationError) throw usage(`--older-than: ${error.message}`);
    throw error;
  }
}

function exportLines(lines: Iterable<string>, file: string | undefined, io: Io): void {
  if (file === undefined) {
    for (const line of lines) io.stdout.write(`${line}\n`);
    return;
  }
  let count = 0;
  const withBreaks = function* () {
    for (const line of lines) {
      count += 1;
      yield `${line}\n`;
    }
  };
  writeFile(resolve(io.cwd, file), withBreaks());
  io.stdout.write(`exported ${count} entries to ${file}\n`);
}

async function importFile(file: string, config: string | undefined, io: Io): Promise<number> {
  const path = resolve(io.cwd, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const message = `${file}: ${error instanceof Error ? error.message : String(error)}`;
    throw new UserError([{ code: 'file-unreadable', severity: 'error', message }], { cause: error });
  }
  const result = await importAnswers({
    path,
    text,
    cwd: io.cwd,
    env: io.env,
    now: io.now,
    ...defined({ configPath: config }),
  });
  for (const line of result.remarks) io.stderr.write(`${line}\n`);
  io.stdout.write(`${result.summary}\n`);
  return result.isWhole ? exitCodes.passed : exitCodes.failed;
}

function usage(message: string): UserError {
  return new UserError([{ code: 'usage', severity: 'error', message }]);
}
