import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { GithubApi, GithubReply } from './github-api.ts';
import type { GithubRun } from './github-run.ts';
import { memberAt, textAt } from './read-json.ts';

export type Published =
  | { readonly ok: true; readonly how: 'created' | 'updated'; readonly url?: string }
  | { readonly ok: false; readonly message: string };

/** A line that no page shows, by which the comment is found again. */
export function commentMarker(id: string): string {
  return `<!-- llmcheck:${id} -->`;
}

const maxPages = 100;
const maxTries = 3;

/** Keeps one comment on the pull request: the one that this token's owner wrote with the marker, or a new one. */
export async function upsertComment(
  api: GithubApi,
  run: GithubRun,
  { marker, body }: { readonly marker: string; readonly body: string },
  wait: (ms: number) => Promise<void>,
): Promise<Published> {
  const { repository, pullRequest } = run;
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
    if (reply.ok) return { ok: true, how: id === undefined ? 'created' : 'updated', ...urlOf(reply.value) };
    // A creation that got no answer may have happened all the same: it is looked for before another is made.
    const isGone = id !== undefined && reply.status === 404;
    if ((!reply.isTransient && !isGone) || attempt >= maxTries) return { ok: false, message: reply.message };
    await wait(1000 * attempt);
  }
}

/** Who writes with this token. The REST API tells that to people alone, the other one to apps as well. */
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

/** Anybody can write the marker into a comment of theirs, so the author decides. */
function isOwn(comment: JsonObject, { marker, author }: { readonly marker: string; readonly author: string }): boolean {
  if (textAt(comment, 'body')?.startsWith(marker) !== true) return false;
  const login = textAt(comment['user'], 'login');
  // Servers that speak the same protocol may not tell who wrote what.
  return login === undefined ? comment['user'] === undefined : login.toLowerCase() === author.toLowerCase();
}

function urlOf(value: JsonValue): { readonly url?: string } {
  const url = textAt(value, 'html_url');
  return url === undefined ? {} : { url };
}
