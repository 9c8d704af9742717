import { appendFileSync, lstatSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { reportOnUntrusted } from '../assessing/assess-run.ts';
import { isDistrusted, privateFile, privateFolder, refuseLink, trustReplaced } from '../files/state-folder.ts';
import { makeFolder, readOrUndefined, replaceFile, StorageError } from '../files/write-files.ts';
import type { Conclusion } from '../github/checks.ts';
import type { GithubRun } from '../github/github-run.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import { exitCodes } from '../model/comparison/exit-code.ts';
import { UserError, usageError } from '../model/problem.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { reporters } from '../reports/index.ts';
import { createMask, maskByName } from '../secrets/mask-secrets.ts';
import { toSafeLine } from '../text/sanitize.ts';
import type { CiPage, ToPublish } from './ci-outcome.ts';
import { type JobIo, publishPorts, type RunOrigin } from './job.ts';
import { hintFor, type PublishFlags, type PublishOptions, publishJobOnGithub } from './publish-job-on-github.ts';
import { findForeignRun, publishToGithub } from './publish-to-github.ts';

/** What one step leaves for a later one: a page has no address before it is uploaded. Its texts are masked. */
interface Held {
  readonly version: 1;
  readonly flags: PublishFlags;
  readonly origin: RunOrigin;
  readonly jobKey?: string;
  /** The config of the run, relative to the working folder. */
  readonly config?: string;
  readonly conclusion: Conclusion;
  readonly title: string;
  readonly bodies: { readonly plain: string; readonly linked: string; readonly zipped: string };
}

const unknownUrl = 'https://page.invalid/llmcheck';

/** GitHub refuses a comment of more than 65,536 characters, and publishing adds a few lines. */
const maxBodyChars = 65_000;

/** Returns false where the file could not be written. Then the caller publishes at once, without a link to the page. */
export function holdOutcome(
  path: string,
  { outcome, bodyWith, mask, origin, github }: ToPublish & { readonly github: GithubRun | undefined },
  { comment = false, checkRun = false, summary, annotations, config }: PublishFlags & { readonly config?: string },
  io: JobIo,
): boolean {
  const held: Held = {
    version: 1,
    flags: { comment, checkRun, summary, annotations },
    origin,
    ...defined({ jobKey: github?.jobKey, config }),
    conclusion: outcome.conclusion,
    title: mask(outcome.title),
    bodies: {
      plain: mask(bodyWith(undefined)),
      linked: mask(bodyWith({ kind: 'page', url: unknownUrl })),
      zipped: mask(bodyWith({ kind: 'zip', url: unknownUrl })),
    },
  };
  try {
    const place = resolve(io.cwd, path);
    refuseLink('Writing', place);
    makeFolder(dirname(place), privateFolder);
    replaceFile(place, `${JSON.stringify(held)}\n`, { mode: privateFile });
    trustReplaced(place);
    return true;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    io.stderr.write(`warning: published at once, without a link to the page: ${toSafeLine(error.reason)}\n`);
    return false;
  }
}

/** What is published before the page is uploaded: annotations and outputs. */
export function withoutHeld({ annotations }: PublishFlags): PublishFlags {
  return { annotations, summary: false };
}

/** Publishes what an earlier step of the job held. The exit code of the run is that of the earlier step. */
export async function publishHeld(
  path: string,
  page: CiPage | undefined,
  io: JobIo,
  optionsOf: (config: string | undefined) => Omit<PublishOptions, 'mask' | 'origin'>,
): Promise<number> {
  const held = readHeld(path);
  if (held === undefined) {
    io.stderr.write('note: there is nothing to publish: no step with --publish-later and the same id ended\n');
    return exitCodes.passed;
  }
  const { flags, origin, conclusion, title, jobKey } = held;
  const options = optionsOf(held.config);
  const github = options.github && { ...options.github, ...defined({ jobKey }) };
  const outcome = {
    exitCode: exitCodes.passed,
    conclusion,
    title,
    body: bodyOf(held, page),
    annotations: '',
    outputs: {},
  };
  const maskNamed = maskByName(io.env);
  const maskToken = createMask([io.env['GITHUB_TOKEN'] ?? '']);
  await publishJobOnGithub(outcome, flags, io, {
    ...options,
    github,
    origin,
    mask: (text) => maskToken(maskNamed(text)),
  });
  return exitCodes.passed;
}

/** With links to the cases, if the text does not become too long by them. */
function bodyOf({ bodies: { plain, linked, zipped } }: Held, page: CiPage | undefined): string {
  if (page === undefined) return plain;
  const body = (page.kind === 'zip' ? zipped : linked).replaceAll(unknownUrl, () => page.url);
  return body.length <= maxBodyChars ? body : plain;
}

function readHeld(path: string): Held | undefined {
  refuseLink('Reading', path);
  if (isDistrusted(path)) return undefined;
  const text = readOrUndefined(path);
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  if (parsed.ok && isHeld(parsed.value)) return parsed.value;
  throw usageError(`--publish: ${path} was not written by this version of llmcheck`, 'run with --publish-later again');
}

function isHeld(value: unknown): value is Held {
  if (!isJsonObject(value) || value['version'] !== 1) return false;
  const { flags, origin, conclusion, title, bodies, config = '' } = value;
  if (typeof config !== 'string') return false;
  const isNamed = typeof conclusion === 'string' && typeof title === 'string';
  if (!isNamed || !isJsonObject(flags) || !isJsonObject(origin) || !isJsonObject(bodies)) return false;
  return [bodies['plain'], bodies['linked'], bodies['zipped']].every((body) => typeof body === 'string');
}

/**
 * Comments on what the job of a fork reports, from a job of the default branch. The record is untrusted data: none of
 * it is executed, and it decides neither the pull request nor the exit code.
 */
export async function publishUntrusted(
  folder: string,
  io: JobIo,
  {
    github,
    event,
    id,
  }: { readonly github: GithubRun | undefined; readonly event: JsonValue | undefined; readonly id: string },
): Promise<number> {
  const token = io.env['GITHUB_TOKEN'] ?? '';
  if (github?.eventName !== 'workflow_run') {
    throw usageError('--untrusted is for jobs of workflow_run', 'use it as in examples/github/fork-comment.yml');
  }
  if (token === '') throw usageError('--untrusted: GITHUB_TOKEN is not set');
  const ports = publishPorts(io, token);
  const found = await findForeignRun(github, event, ports);
  if (!found.ok) {
    io.stderr.write(`warning: the pull request could not be found: ${toSafeLine(found.message)}\n`);
    return exitCodes.failed;
  }
  if (found.run === undefined) {
    io.stderr.write(
      'note: no open pull request has the tested commit as its head, so there is nothing to comment on\n',
    );
    return exitCodes.passed;
  }
  const body = `${warning}${await describeRecord(folder, io)}\n[log](${found.run.runUrl ?? ''}) · commit \`${found.run.headSha.slice(0, 12)}\`\n`;
  const summary = io.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (summary !== '') appendFileSync(summary, body);
  const { comment } = await publishToGithub(found.run, { comment: { id, body } }, ports);
  if (comment?.ok === true) return exitCodes.passed;
  const message = comment?.message ?? '';
  io.stderr.write(
    `warning: the comment was not published: ${toSafeLine(message)}${hintFor('comment', { message, ...defined({ status: comment?.status }) }, github)}\n`,
  );
  return exitCodes.failed;
}

const warning = `> **Not verified**: the job of a fork reports this. Its author can change suites, prompts, checks and results. Run the pull request before you merge it.

`;

async function describeRecord(folder: string, io: JobIo): Promise<string> {
  try {
    const path = findRecord(resolve(io.cwd, folder));
    const root = findProjectRoot(io.cwd, undefined);
    const report = await reportOnUntrusted({ path, root, cwd: io.cwd, env: io.env });
    // The heading of a report is that of a verdict.
    const heading = { mark: '⚪', name: 'llmcheck, not verified:' };
    const style = { color: false, width: 80, verbose: false, quiet: false, heading };
    return [...(reporters['markdown']?.render(report, style) ?? [])].join('');
  } catch (error) {
    // The record may have any shape. What does not fit is found where it is used.
    const isMisshapen = error instanceof TypeError || error instanceof RangeError;
    if (!(error instanceof UserError) && !isMisshapen) throw error;
    const problems =
      error instanceof UserError ? error.problems : [{ message: 'the record is not as llmcheck writes it' }];
    for (const { message } of problems) io.stderr.write(`warning: ${toSafeLine(message)}\n`);
    return '### ⚪ llmcheck, not verified: the results could not be read\n';
  }
}

const maxRecordBytes = 50_000_000;

/** One regular file: a link would lead to the files of this machine. */
function findRecord(folder: string): string {
  const names = readFolder(folder).filter((name) => name.endsWith('.jsonl'));
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw usageError(`--untrusted: ${names.length} records are there, not one`);
  const path = join(folder, name);
  const stats = lstatSync(path);
  if (!stats.isFile()) throw usageError('--untrusted: the record is no file');
  if (stats.size > maxRecordBytes) throw usageError('--untrusted: the record is larger than 50 MB');
  return path;
}

function readFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw usageError(`--untrusted: the folder cannot be read (${String(error.code)})`);
  }
}
