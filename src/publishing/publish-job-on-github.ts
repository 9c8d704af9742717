import { appendFileSync } from 'node:fs';
import type { GithubRun } from '../github/github-run.ts';
import { defined } from '../json/defined.ts';
import { renderCommand } from '../reports/ci/github.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { toSafeLine } from '../text/sanitize.ts';
import type { CiOutcome } from './ci-outcome.ts';
import { hintOfToken, type JobIo, publishPorts, type RunOrigin } from './job.ts';
import { findPublishFault, publishToGithub } from './publish-to-github.ts';

export interface PublishFlags {
  readonly comment?: boolean;
  readonly checkRun?: boolean;
  readonly summary: boolean;
  readonly annotations: boolean;
}

export interface PublishOptions {
  /** The root folder of the project. */
  readonly root: string;
  readonly github: GithubRun | undefined;
  readonly mask: Mask;
  /** Identifies the comment, so that the next run updates it. */
  readonly id: string;
  readonly checkName: string;
  readonly origin: RunOrigin;
}

type Warn = (text: string) => void;

/** Writes annotations, job summary, outputs, comment and check. Warns of each part that can't be written. */
export async function publishJobOnGithub(
  outcome: CiOutcome,
  flags: PublishFlags,
  io: JobIo,
  options: PublishOptions,
): Promise<void> {
  const { github, mask, origin, root } = options;
  const warn: Warn = (text) => io.stderr.write(`warning: ${toSafeLine(mask(text))}\n`);
  const fault = github === undefined ? undefined : findPublishFault(github, { ...origin, cwd: root, env: io.env });
  const faultNote = fault === undefined ? '' : `> **Not published**: ${fault}.\n\n`;
  const body = mask(`${faultNote}${describeShard(origin)}${outcome.body}`);
  if (fault !== undefined) warn(`nothing is published to GitHub: ${fault}`);
  else if (flags.annotations) io.stdout.write(mask(outcome.annotations));
  if (flags.summary) append(io, 'GITHUB_STEP_SUMMARY', body, warn);
  const links = fault === undefined ? await publishParts({ ...outcome, body }, flags, io, options, warn) : {};
  const outputs = Object.entries({ ...outcome.outputs, ...links });
  // Values have no line breaks of their own: they are numbers, words and ids.
  const lines = outputs.map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, ' ')}\n`);
  append(io, 'GITHUB_OUTPUT', lines.join(''), warn);
}

function describeShard({ shard }: RunOrigin): string {
  return shard === undefined ? '' : `> **Shard ${shard.index} of ${shard.count}**: a part of the run.\n\n`;
}

/** Writes the comment and the check that were asked for. Returns their addresses as outputs of the step. */
async function publishParts(
  { conclusion, title, body }: CiOutcome,
  flags: PublishFlags,
  io: JobIo,
  { github, mask, id, checkName, origin }: PublishOptions,
  warn: Warn,
): Promise<Readonly<Record<string, string>>> {
  const token = io.env['GITHUB_TOKEN'] ?? '';
  if (flags.comment !== true && flags.checkRun !== true) return {};
  if (origin.shard !== undefined) {
    io.stderr.write(
      'note: a shard has no comment and no check: its verdict is not that of the run. Publish all shards with `llmcheck ci github --merge FOLDER`.\n',
    );
    return {};
  }
  const warnOnPage = (message: string): void => {
    warn(message);
    const level = github?.pullRequest?.isForeign === true ? 'notice' : 'warning';
    if (flags.annotations) io.stdout.write(mask(renderCommand({ level, title: 'llmcheck', message })));
  };
  if (github === undefined || token === '') {
    const unset = `GITHUB_TOKEN is not set: set \`GITHUB_TOKEN: \${{ github.token }}\` in the env of the step`;
    warnOnPage(`not published to GitHub: ${github === undefined ? 'GITHUB_REPOSITORY names no repository' : unset}`);
    return {};
  }
  const parts = await publishToGithub(
    github,
    defined({
      comment: flags.comment === true && github.pullRequest !== undefined ? { id, body } : undefined,
      checkRun:
        flags.checkRun === true ? { name: checkName, conclusion, title: mask(title), summary: body } : undefined,
    }),
    publishPorts(io, token),
  );
  const links: Record<string, string> = {};
  for (const [part, published] of Object.entries(parts)) {
    const name = part === 'comment' ? 'comment' : 'check';
    if (!published.ok) {
      warnOnPage(`the ${name} was not published: ${published.message}${hintFor(name, published, github)}`);
    } else {
      Object.assign(links, defined({ [`${part}Url`]: published.url }));
      if (published.isShared === true) warnOnPage(`another job of this run has the same ${name}. ${sharedHint}`);
    }
  }
  return links;
}

/** What to change in the workflow. */
export function hintFor(
  part: 'comment' | 'check' | 'issue',
  failed: { readonly status?: number; readonly message: string },
  { pullRequest }: GithubRun,
): string {
  return hintOfToken(failed, {
    invalid: `: the token is not valid; use \`\${{ github.token }}\``,
    forbidden:
      pullRequest?.isForeign === true
        ? ': a pull request from a fork cannot write; the job summary has the report'
        : `: give the job \`permissions: ${scopes[part]}: write\``,
    isForbidden: (message) => /not accessible|permission|must have/i.test(message),
  });
}

const scopes = { comment: 'pull-requests', check: 'checks', issue: 'issues' } as const;

export const nameJobsHint = `Give each job its own --id, or set LLMCHECK_MATRIX: \${{ toJSON(matrix) }} in its env.`;
const sharedHint = `Both are kept. ${nameJobsHint}`;

function append(io: JobIo, variable: string, text: string, warn: Warn): void {
  const path = io.env[variable] ?? '';
  if (path === '') return;
  try {
    appendFileSync(path, text);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    warn(`${variable} could not be written: ${error.message}`);
  }
}
