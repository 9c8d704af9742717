import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { replaceFile, systemErrorCode } from '../../../files/write-files.ts';
import { importAnswers, openCacheMaintenance } from '../../../importing/import-answers.ts';
import { defined } from '../../../json/defined.ts';
import { describeSharedCache, type SharedCacheState } from '../../../listing/describe-shared-cache.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { UserError, usageError } from '../../../model/problem.ts';
import { findProjectRoot, refuseLinkOutside } from '../../../project/project-paths.ts';
import { describeBytes } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

interface CacheFlags {
  readonly config?: string;
  readonly json?: boolean;
}

interface ListFlags extends CacheFlags {
  readonly limit: string;
}

interface PruneFlags extends CacheFlags {
  readonly olderThan?: string;
  readonly maxSize?: string;
}

interface VerifyFlags extends CacheFlags {
  readonly fix?: boolean;
}

export const define: DefineCommand = (cache, { io, exit }) => {
  cache.addHelpText(
    'after',
    '\nExamples:\n  $ llmcheck cache stats\n  $ llmcheck cache prune --older-than 720h\n  $ llmcheck cache export > answers.jsonl',
  );
  const add = (name: string, description: string, example: string) =>
    cache
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'config file')
      .addHelpText('after', `\nExample:\n  $ llmcheck cache ${name.replace(/ .*/, '')} ${example}`.trimEnd());

  add('stats', 'count entries and bytes', '--json')
    .option('--json', 'as JSON')
    .action((flags: CacheFlags) => printStats(flags, io));
  add('list', 'list entries', '--limit 10')
    .option('--limit <n>', 'at most n', '50')
    .option('--json', 'as JSON lines')
    .action((flags: ListFlags) => listEntries(flags, io));
  add('clear', 'remove every entry', '').action((flags: CacheFlags) => {
    printRemoved(openCache(flags, io).clear(), io);
  });
  add('prune', 'remove old or excess entries', '--older-than 720h')
    .option('--older-than <duration>', 'entries stored longer ago, such as 720h')
    .option('--max-size <mb>', 'the oldest, until the rest fits')
    .action((flags: PruneFlags) => printRemoved(openCache(flags, io).prune(readLimits(flags)), io));
  add('verify', 'find damaged entries', '--fix')
    .option('--fix', 'remove them')
    .action((flags: VerifyFlags) => exit(verify(flags, io)));
  add('export [file]', 'write every entry as JSON lines', 'answers.jsonl').action(
    (file: string | undefined, flags: CacheFlags) => exportEntries(file, flags, io),
  );
  add(
    'import <file>',
    'read exported entries, or fill the request hashes of a recordings file',
    'answers.jsonl',
  ).action(async (file: string, flags: CacheFlags) => exit(await importFile(file, flags, io)));
};

function openCache({ config }: CacheFlags, io: Io): ReturnType<typeof openCacheMaintenance> {
  return openCacheMaintenance(findProjectRoot(io.cwd, config), io.now);
}

async function printStats(flags: CacheFlags, io: Io): Promise<void> {
  const stats = openCache(flags, io).stats();
  const shared = await describeSharedCache({ cwd: io.cwd, env: io.env, ...defined({ configPath: flags.config }) });
  if (flags.json === true) {
    printJson({ ...stats, ...defined({ shared }) }, io);
    return;
  }
  const { entries, bytes, damaged, oldest, newest, models } = stats;
  const damage = damaged > 0 ? `, ${damaged} damaged (llmcheck cache verify)` : '';
  const lines = [
    `${entries} entries, ${describeBytes(bytes)}${damage}`,
    ...(oldest === undefined || newest === undefined ? [] : [`from ${oldest} to ${newest}`]),
    ...models.map((one) => `  ${toSafeLine(one.model)}  ${one.entries} entries, ${describeBytes(one.bytes)}`),
    ...(shared === undefined ? [] : [`shared: ${toSafeLine(describeShared(shared))}`]),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

function describeShared({ address, entries, isMore, fault }: SharedCacheState): string {
  const name = address === undefined ? '' : `${address}, `;
  if (fault !== undefined) return `${name}not usable: ${fault}`;
  return `${name}${isMore === true ? 'at least ' : ''}${entries ?? 0} entries`;
}

function listEntries(flags: ListFlags, io: Io): void {
  const limit = Number(flags.limit);
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw usageError(`--limit: "${flags.limit}" is not a number of entries`);
  let listed = 0;
  for (const { entry, bytes } of openCache(flags, io).list()) {
    if (listed >= limit) break;
    listed += 1;
    const { key, createdAt, request, completion } = entry;
    const { adapter, model, trial } = request;
    const { text } = completion;
    const line =
      flags.json === true
        ? JSON.stringify({ key, createdAt, bytes, adapter, model, trial, text })
        : `${key.slice(0, 12)}  ${createdAt}  ${toSafeLine(`${adapter}:${model}`)}  ${toSafeLine(text).slice(0, 60)}`;
    io.stdout.write(`${line}\n`);
  }
}

function readLimits({ olderThan, maxSize }: PruneFlags): { readonly maxAgeMs?: number; readonly maxBytes?: number } {
  if (olderThan === undefined && maxSize === undefined)
    throw usageError('cache prune: say what to remove: --older-than 720h or --max-size 500');
  const reader = openFlagReader();
  const maxAgeMs = olderThan === undefined ? undefined : reader.readDuration('--older-than', olderThan);
  const megabytes = maxSize === undefined ? undefined : Number(maxSize);
  if (megabytes !== undefined && !(megabytes >= 0))
    reader.refuse(`--max-size: "${maxSize ?? ''}" is not a number of megabytes`);
  reader.check();
  return defined({ maxAgeMs, maxBytes: megabytes && megabytes * 1e6 });
}

function printRemoved({ removed, bytes }: { readonly removed: number; readonly bytes: number }, io: Io): void {
  io.stdout.write(`removed ${removed} entries, ${describeBytes(bytes)}\n`);
}

function verify(flags: VerifyFlags, io: Io): number {
  const isFixed = flags.fix === true;
  const { checked, damaged } = openCache(flags, io).verify({ remove: isFixed });
  for (const { path, reason } of damaged) io.stdout.write(`${path}: ${reason}\n`);
  io.stdout.write(`${checked} entries checked, ${damaged.length} damaged${isFixed ? ' and removed' : ''}\n`);
  return damaged.length > 0 && !isFixed ? exitCodes.failed : exitCodes.passed;
}

function exportEntries(file: string | undefined, flags: CacheFlags, io: Io): void {
  let count = 0;
  const lines = function* () {
    for (const line of openCache(flags, io).exportLines()) {
      count += 1;
      yield `${line}\n`;
    }
  };
  if (file === undefined) {
    for (const line of lines()) io.stdout.write(line);
    return;
  }
  const path = resolve(io.cwd, file);
  refuseLinkOutside(path, { root: findProjectRoot(io.cwd, flags.config), cwd: io.cwd });
  replaceFile(path, lines());
  io.stdout.write(`exported ${count} entries to ${file}\n`);
}

async function importFile(file: string, flags: CacheFlags, io: Io): Promise<number> {
  const path = resolve(io.cwd, file);
  const { cwd, env, now } = io;
  const result = await importAnswers({
    path,
    text: readText(path, file),
    cwd,
    env,
    now,
    ...defined({ configPath: flags.config }),
  });
  for (const line of result.remarks) io.stderr.write(`${line}\n`);
  io.stdout.write(`${result.summary}\n`);
  return result.isWhole ? exitCodes.passed : exitCodes.failed;
}

function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message =
      systemErrorCode(error) === 'ENOENT'
        ? `${shown} does not exist`
        : `${shown} can't be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new UserError({ code: 'file-unreadable', message }, { cause: error });
  }
}
