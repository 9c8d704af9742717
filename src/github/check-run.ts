import type { JsonObject } from '../json/json.ts';
import type { GithubApi } from './github-api.ts';
import type { GithubRun } from './github-run.ts';
import { textAt } from './read-json.ts';
import type { Published } from './sticky-comment.ts';

export type Conclusion = 'success' | 'failure' | 'neutral' | 'cancelled';

export interface CheckRun {
  readonly name: string;
  readonly conclusion: Conclusion;
  /** In words, on one line. */
  readonly title: string;
  /** Markdown. */
  readonly summary: string;
}

/** Longer ones are refused whole. */
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
    ...(runUrl !== undefined && { details_url: runUrl }),
  };
  const reply = await api.ask('POST', `/repos/${repository}/check-runs`, body);
  if (!reply.ok) return { ok: false, message: reply.message };
  const url = textAt(reply.value, 'html_url');
  return { ok: true, how: 'created', ...(url !== undefined && { url }) };
}
