import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { type GithubApi, type GithubReply, memberAt, numberAt, textAt } from './github-api.ts';
import type { GithubRun } from './github-run.ts';

export type Published =
  | {
      readonly ok: true;
      readonly how: 'created' | 'updated';
      readonly url?: string;
      /** True where another job of the same run uses the same id. */
      readonly isShared?: boolean;
    }
  | { readonly ok: false; readonly message: string; readonly status?: number };

export interface Comment {
  /** Tells several comments on one pull request apart. */
  readonly id: string;
  /** Markdown. */
  readonly body: string;
}

/** The process that publishes. */
export interface Publisher {
  /** Drawn at random: what it wrote is recognised by it. */
  readonly writer: string;
  readonly wait: (ms: number) => Promise<void>;
}

type Failed = Extract<GithubReply, { ok: false }>;

export const maxPages = 100;
export const maxTries = 4;

/**
 * Keeps one comment of each id on the pull request: updates the one of an older run, or creates it. It never replaces the
 * comment of another job of the same run, nor that of a newer commit.
 */
export async function upsertComment(
  api: GithubApi,
  run: GithubRun,
  comment: Comment,
  { writer, wait }: Publisher,
): Promise<Published> {
  const { repository, pullRequest } = run;
  if (pullRequest === undefined) return { ok: false, message: 'the event is about no pull request' };
  const path = `/repos/${repository}/issues/${pullRequest.number}/comments`;
  const body = `${writeMarker(comment.id, run, writer)}\n${comment.body}`;
  const author = await findAuthor(api, run.graphqlUrl);
  for (let attempt = 1; ; attempt += 1) {
    const head = await findHead(api, run);
    if (head !== undefined && head !== run.headSha) return outdated(head);
    const found = await findComment(api, path, { id: comment.id, run, writer, author });
    if (!found.ok) return found;
    const { own, isShared } = found;
    if (head === undefined && own !== undefined && isNewer(own.mark, run)) return outdated(own.mark.commit);
    const reply =
      own === undefined
        ? await api.ask('POST', path, { body })
        : await api.ask('PATCH', `/repos/${repository}/issues/comments/${own.id}`, { body });
    // Two jobs that chose the same comment at the same time both replaced it: the one that lost looks for another.
    const isLost = reply.ok && own !== undefined && (await isReplaced(api, run, own.id, comment.id, writer));
    if (reply.ok && !isLost) {
      const how = own === undefined ? 'created' : 'updated';
      return { ok: true, how, ...defined({ url: textAt(reply.value, 'html_url') }), ...(isShared && { isShared }) };
    }
    if (attempt >= maxTries) {
      return reply.ok ? { ok: false, message: 'other jobs with the same id replaced it' } : reply;
    }
    // A creation without an answer may have happened, so the comment is looked for before another is created.
    if (!reply.ok && !reply.isTransient && !(own !== undefined && reply.status === 404)) return reply;
    await wait(1000 * attempt);
  }
}

function outdated(commit: string): Published {
  return { ok: false, message: `the pull request has a newer commit, ${commit.slice(0, 12)}` };
}

/** The newest commit of the pull request; undefined where the token may not read it. */
async function findHead(api: GithubApi, { repository, pullRequest }: GithubRun): Promise<string | undefined> {
  const reply = await api.ask('GET', `/repos/${repository}/pulls/${pullRequest?.number}`);
  return reply.ok ? textAt(memberAt(reply.value, 'head'), 'sha') : undefined;
}

/** Who wrote a comment, from its first line. */
export interface Mark {
  readonly id: string;
  /** The run of the workflow, and which attempt of it. */
  readonly runId: number;
  readonly attempt: number;
  readonly commit: string;
  readonly writer: string;
}

/** A line that no page shows. The comment is found by it. */
export function writeMarker(id: string, { runId = 0, runAttempt = 1, headSha }: GithubRun, writer: string): string {
  return `<!-- llmcheck:${id} run=${runId}.${runAttempt} commit=${headSha} by=${writer} -->`;
}

export function readMarker(body: string): Mark | undefined {
  const [, id = '', runId, attempt, commit = '', writer = ''] =
    /^<!-- llmcheck:(\S+) run=(\d+)\.(\d+) commit=(\w*) by=(\w+) -->/.exec(body) ?? [];
  return id === '' ? undefined : { id, runId: Number(runId), attempt: Number(attempt), commit, writer };
}

function isNewer(mark: Mark, { runId = 0, headSha }: GithubRun): boolean {
  return mark.commit !== headSha && mark.runId > runId;
}

/** True where another job of the same attempt of the run wrote it. */
function isSibling(mark: Mark, { runId, runAttempt = 1 }: GithubRun, writer: string): boolean {
  return mark.writer !== writer && mark.runId === runId && mark.attempt === runAttempt;
}

/** The login behind the token; undefined where GitHub does not tell. */
export type Author = string | undefined;

/** GraphQL tells the owner of the token to people and apps, the REST API to people only. */
export async function findAuthor(api: GithubApi, graphqlUrl: string): Promise<Author> {
  const query = { query: 'query { viewer { login } }' };
  const reply = await api.ask('POST', graphqlUrl, query, { canRepeat: true });
  const viewer = reply.ok ? textAt(memberAt(memberAt(reply.value, 'data'), 'viewer'), 'login') : undefined;
  if (viewer !== undefined) return viewer;
  const user = await api.ask('GET', '/user');
  return user.ok ? textAt(user.value, 'login') : undefined;
}

interface Wanted {
  readonly id: string;
  readonly run: GithubRun;
  readonly writer: string;
  readonly author: Author;
}

type FoundComment = {
  readonly ok: true;
  readonly own?: { readonly id: number; readonly mark: Mark };
  readonly isShared: boolean;
};

async function findComment(api: GithubApi, path: string, wanted: Wanted): Promise<FoundComment | Failed> {
  let isShared = false;
  for (let page = 1; page <= maxPages; page += 1) {
    const reply = await api.ask('GET', `${path}?per_page=100&page=${page}`);
    if (!reply.ok) return reply;
    const comments = Array.isArray(reply.value) ? reply.value : [];
    for (const comment of comments) {
      const mark = readOwn(comment, wanted);
      const id = numberAt(comment, 'id');
      if (mark === undefined || id === undefined) continue;
      if (!isSibling(mark, wanted.run, wanted.writer)) return { ok: true, own: { id, mark }, isShared };
      isShared = true;
    }
    if (comments.length < 100) break;
  }
  return { ok: true, isShared };
}

/** Anyone can write the marker into a comment, so the author decides. */
function readOwn(comment: JsonValue, { id, author }: Wanted): Mark | undefined {
  if (!isJsonObject(comment)) return undefined;
  const mark = readMarker(textAt(comment, 'body') ?? '');
  return mark?.id === id && isWrittenBy(comment, author) ? mark : undefined;
}

export function isWrittenBy(comment: JsonObject, author: Author): boolean {
  const user = comment['user'];
  const login = textAt(user, 'login');
  // Other servers with the same API may leave the author out.
  if (login === undefined) return user === undefined;
  // A token whose owner GitHub does not tell is that of an app. No person can write as an app.
  if (author === undefined) return login === 'github-actions[bot]' || textAt(user, 'type') === 'Bot';
  return login.toLowerCase() === author.toLowerCase();
}

/** True where another process has written the comment since. One that can't be read counts as ours. */
async function isReplaced(
  api: GithubApi,
  { repository }: GithubRun,
  commentId: number,
  id: string,
  writer: string,
): Promise<boolean> {
  const reply = await api.ask('GET', `/repos/${repository}/issues/comments/${commentId}`);
  const mark = reply.ok ? readMarker(textAt(reply.value, 'body') ?? '') : undefined;
  return mark !== undefined && mark.id === id && mark.writer !== writer;
}

export type Conclusion = 'success' | 'failure' | 'neutral' | 'cancelled';

export interface CheckRun {
  readonly name: string;
  readonly conclusion: Conclusion;
  /** In words, on one line. */
  readonly title: string;
  /** Markdown. */
  readonly summary: string;
}

/** GitHub refuses longer titles. */
const maxTitleChars = 250;

/** Puts a finished check on the commit that was tested. */
export async function createCheckRun(
  api: GithubApi,
  run: GithubRun,
  { name, conclusion, title, summary }: CheckRun,
  { writer, wait }: Publisher,
): Promise<Published> {
  const { repository, headSha, runUrl } = run;
  const body: JsonObject = {
    name,
    head_sha: headSha,
    status: 'completed',
    conclusion,
    external_id: externalId(run, writer),
    output: { title: title.slice(0, maxTitleChars), summary },
    ...defined({ details_url: runUrl }),
  };
  for (let attempt = 1; ; attempt += 1) {
    const reply = await api.ask('POST', `/repos/${repository}/check-runs`, body);
    if (!reply.ok && !reply.isTransient) return reply;
    if (!reply.ok) await wait(1000 * attempt);
    const named = await listNamed(api, run, name);
    // A creation without an answer may have happened, so the check is looked for before another is created.
    const own = reply.ok
      ? reply.value
      : named.find((check) => textAt(check, 'external_id') === externalId(run, writer));
    if (own !== undefined) return keepApart(api, run, { own, named, name, writer });
    if (!reply.ok && attempt >= maxTries) return reply;
  }
}

function externalId({ runId = 0, runAttempt = 1 }: GithubRun, writer: string): string {
  return `llmcheck:${runId}.${runAttempt}:${writer}`;
}

/** The checks of one name on the tested commit; empty where they can't be read. */
async function listNamed(
  api: GithubApi,
  { repository, headSha }: GithubRun,
  name: string,
): Promise<readonly JsonValue[]> {
  const query = `check_name=${encodeURIComponent(name)}&filter=all&per_page=100`;
  const reply = await api.ask('GET', `/repos/${repository}/commits/${headSha}/check-runs?${query}`);
  const checks = reply.ok ? memberAt(reply.value, 'check_runs') : undefined;
  return Array.isArray(checks) ? checks : [];
}

interface OwnCheck {
  readonly own: JsonValue;
  readonly named: readonly JsonValue[];
  readonly name: string;
  readonly writer: string;
}

/** GitHub shows the newest check of a name. Where another job of this run made one before, ours gets another name. */
async function keepApart(api: GithubApi, run: GithubRun, { own, named, name, writer }: OwnCheck): Promise<Published> {
  const ownId = numberAt(own, 'id');
  const published = { ok: true as const, how: 'created' as const, ...defined({ url: textAt(own, 'html_url') }) };
  if (ownId === undefined || run.runId === undefined) return published;
  const isBefore = (check: JsonValue): boolean =>
    textAt(check, 'external_id')?.startsWith(externalId(run, '')) === true && (numberAt(check, 'id') ?? ownId) < ownId;
  if (!named.some(isBefore)) return published;
  const body = { name: `${name} (${writer.slice(0, 6)})` };
  const renamed = await api.ask('PATCH', `/repos/${run.repository}/check-runs/${ownId}`, body);
  return renamed.ok ? { ...published, isShared: true } : renamed;
}
