import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { type GithubApi, type GithubReply, memberAt, textAt } from './github-api.ts';
import type { GithubRun } from './github-run.ts';

export type Published =
  | { readonly ok: true; readonly how: 'created' | 'updated'; readonly url?: string }
  | { readonly ok: false; readonly message: string };

export interface Comment {
  /** Tells several comments on one pull request apart. */
  readonly id: string;
  /** Markdown. */
  readonly body: string;
}

/** A line that no page shows. The comment is found by it. */
export function commentMarker(id: string): string {
  return `<!-- llmcheck:${id} -->`;
}

const maxPages = 100;
const maxTries = 3;

/** Keeps one comment on the pull request: updates the one that the token's owner wrote with the marker, or creates it. */
export async function upsertComment(
  api: GithubApi,
  run: GithubRun,
  comment: Comment,
  wait: (ms: number) => Promise<void>,
): Promise<Published> {
  const { repository, pullRequest } = run;
  const marker = commentMarker(comment.id);
  const body = `${marker}\n${comment.body}`;
  if (pullRequest === undefined) return { ok: false, message: 'the event is about no pull request' };
  const path = `/repos/${repository}/issues/${pullRequest.number}/comments`;
  const author = await findAuthor(api, run.graphqlUrl);
  for (let attempt = 1; ; attempt += 1) {
    const found = await findComment(api, path, { marker, author });
    if (!found.ok) return found;
    const { id } = found;
    const reply =
      id === undefined
        ? await api.ask('POST', path, { body })
        : await api.ask('PATCH', `/repos/${repository}/issues/comments/${id}`, { body });
    if (reply.ok) {
      const how = id === undefined ? 'created' : 'updated';
      return { ok: true, how, ...defined({ url: textAt(reply.value, 'html_url') }) };
    }
    // A creation without an answer may have happened, so the comment is looked for before another is created.
    const isDeleted = id !== undefined && reply.status === 404;
    if ((!reply.isTransient && !isDeleted) || attempt >= maxTries) return { ok: false, message: reply.message };
    await wait(1000 * attempt);
  }
}

/** The owner of the token. The REST API tells it to people only, GraphQL to apps as well. */
async function findAuthor(api: GithubApi, graphqlUrl: string): Promise<string> {
  const reply = await api.ask('POST', graphqlUrl, { query: 'query { viewer { login } }' });
  const login = reply.ok ? textAt(memberAt(memberAt(reply.value, 'data'), 'viewer'), 'login') : undefined;
  return login ?? 'github-actions[bot]';
}

async function findComment(
  api: GithubApi,
  path: string,
  wanted: { readonly marker: string; readonly author: string },
): Promise<{ readonly ok: true; readonly id?: number } | Extract<GithubReply, { ok: false }>> {
  for (let page = 1; page <= maxPages; page += 1) {
    const reply = await api.ask('GET', `${path}?per_page=100&page=${page}`);
    if (!reply.ok) return reply;
    const comments = Array.isArray(reply.value) ? reply.value : [];
    const own = comments.find((comment): comment is JsonObject => isJsonObject(comment) && isOwn(comment, wanted));
    const id = own?.['id'];
    if (typeof id === 'number') return { ok: true, id };
    if (comments.length < 100) break;
  }
  return { ok: true };
}

/** Anyone can write the marker into a comment, so the author decides. */
function isOwn(comment: JsonObject, { marker, author }: { readonly marker: string; readonly author: string }): boolean {
  if (textAt(comment, 'body')?.startsWith(marker) !== true) return false;
  const login = textAt(comment['user'], 'login');
  // Other servers with the same API may leave the author out.
  return login === undefined ? comment['user'] === undefined : login.toLowerCase() === author.toLowerCase();
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
  { repository, headSha, runUrl }: GithubRun,
  { name, conclusion, title, summary }: CheckRun,
): Promise<Published> {
  const body: JsonObject = {
    name,
    head_sha: headSha,
    status: 'completed',
    conclusion,
    output: { title: title.slice(0, maxTitleChars), summary },
    ...defined({ details_url: runUrl }),
  };
  const reply = await api.ask('POST', `/repos/${repository}/check-runs`, body);
  if (!reply.ok) return { ok: false, message: reply.message };
  return { ok: true, how: 'created', ...defined({ url: textAt(reply.value, 'html_url') }) };
}
