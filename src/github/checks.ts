import { type JsonApi, memberAt, numberAt, textAt, valueOf } from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import type { Published } from '../model/report/report.ts';
import { clipText } from '../text/shorten.ts';
import { maxPages, maxTries, type Publisher } from './comments.ts';
import type { GithubRun } from './github-run.ts';

export type Conclusion = 'success' | 'failure' | 'neutral' | 'cancelled';

export interface CheckRun {
  readonly name: string;
  readonly conclusion: Conclusion;
  /** One line of text. */
  readonly title: string;
  /** Markdown. */
  readonly summary: string;
}

/** GitHub refuses longer titles. */
const maxTitleChars = 250;

/** Puts a finished check on the commit that was tested. */
export async function createCheckRun(
  api: JsonApi,
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
    output: { title: clipText(title, maxTitleChars), summary },
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

function externalId({ runId = 0, runAttempt = 1, jobKey = '' }: GithubRun, writer: string): string {
  return `llmcheck:${runId}.${runAttempt}:${jobKey}:${writer}`;
}

/** `isOther`: the check is of another job of the run. Its attempt is the same, or earlier with other flags. */
function compareJobs(check: JsonValue, { runId, runAttempt = 1, jobKey = '' }: GithubRun) {
  const [, run, attempt, job] = /^llmcheck:(\d+)\.(\d+):(\w*):/.exec(textAt(check, 'external_id') ?? '') ?? [];
  const hasSameFlags = job === jobKey;
  return { hasSameFlags, isOther: Number(run) === runId && (Number(attempt) === runAttempt || !hasSameFlags) };
}

/** The checks with one name on the tested commit; empty if they can't be read. */
function listNamed(api: JsonApi, run: GithubRun, name: string): Promise<readonly JsonValue[]> {
  return listChecks(api, run, `check_name=${encodeURIComponent(name)}&`);
}

async function listChecks(
  api: JsonApi,
  { repository, headSha }: GithubRun,
  filter: string,
): Promise<readonly JsonValue[]> {
  const found: JsonValue[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const query = `${filter}filter=all&per_page=100&page=${page}`;
    const reply = await api.ask('GET', `/repos/${repository}/commits/${headSha}/check-runs?${query}`);
    const checks = memberAt(valueOf(reply), 'check_runs');
    if (!Array.isArray(checks)) break;
    found.push(...checks);
    if (checks.length < 100) break;
  }
  return found;
}

/** True if several jobs of an earlier attempt look like this one. This job must then hide none of their checks. */
async function isAmbiguous(api: JsonApi, run: GithubRun): Promise<boolean> {
  const { runId, runAttempt = 1, jobKey = '' } = run;
  if (runAttempt === 1) return false;
  const writers = new Map<string, Set<string>>();
  for (const check of await listChecks(api, run, '')) {
    const [, of, attempt = '', job, writer = ''] =
      /^llmcheck:(\d+)\.(\d+):(\w*):(\w+)$/.exec(textAt(check, 'external_id') ?? '') ?? [];
    if (Number(of) !== runId || Number(attempt) >= runAttempt || job !== jobKey) continue;
    writers.set(attempt, (writers.get(attempt) ?? new Set()).add(writer));
  }
  return [...writers.values()].some(({ size }) => size > 1);
}

interface OwnCheck {
  readonly own: JsonValue;
  readonly named: readonly JsonValue[];
  readonly name: string;
  readonly writer: string;
}

/** Renames the check if another job of the run has one of its name: GitHub shows only the newest of a name. */
async function keepApart(api: JsonApi, run: GithubRun, { own, named, name, writer }: OwnCheck): Promise<Published> {
  const ownId = numberAt(own, 'id');
  const published = { ok: true as const, how: 'created' as const, ...defined({ url: textAt(own, 'html_url') }) };
  if (ownId === undefined || run.runId === undefined) return published;
  const others = named
    .filter((check) => (numberAt(check, 'id') ?? ownId) < ownId)
    .map((check) => compareJobs(check, run))
    .filter(({ isOther }) => isOther);
  const isUnclear = others.length === 0 && (await isAmbiguous(api, run));
  if (others.length === 0 && !isUnclear) return published;
  // A job that is started again replaces its own.
  const { jobKey = writer } = run;
  const suffix = isUnclear || others.some(({ hasSameFlags }) => hasSameFlags) ? writer : jobKey;
  const body = { name: `${name} (${suffix.slice(0, 6)})` };
  const renamed = await api.ask('PATCH', `/repos/${run.repository}/check-runs/${ownId}`, body);
  return renamed.ok ? { ...published, isShared: true } : renamed;
}
