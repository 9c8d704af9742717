import { appendFileSync, lstatSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import { exitCodes } from '../../model/exit-code.ts';
import { UserError } from '../../model/problem.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import { findForeignRun, type GithubRun, publishToGithub } from '../../publishing/publish-to-github.ts';
import { reporters } from '../../reports/index.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { reportOnUntrusted } from '../../verdict/assess-run.ts';
import { usageError } from '../flags/flag-reader.ts';
import type { Io } from '../io.ts';
import { drawWriter, hintFor } from '../output/publish-outcome.ts';

/**
 * Comments on what the job of a fork reports, from a job of the default branch. The record is data that anybody may have
 * written: nothing of it is run, and it decides neither the pull request nor the exit code.
 */
export async function publishUntrusted(
  folder: string,
  io: Io,
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
  const ports = { env: io.env, token, now: io.now, writer: drawWriter(io) };
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

async function describeRecord(folder: string, io: Io): Promise<string> {
  try {
    const path = findRecord(resolve(io.cwd, folder));
    const root = findProjectRoot(io.cwd, undefined);
    const report = await reportOnUntrusted({ path, root, cwd: io.cwd, env: io.env });
    const style = { color: false, width: 80, verbose: false, quiet: false };
    const text = [...(reporters['markdown']?.render(report, style) ?? [])].join('');
    // The heading of a report is that of a verdict.
    return text.replace(/^### .*?llmcheck (.*)$/m, (_, rest: string) => `### ⚪ llmcheck, not verified: ${rest}`);
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
