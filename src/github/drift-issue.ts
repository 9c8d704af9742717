import { type ApiReply, itemsOf, type JsonApi, numberAt, textAt, valueOf } from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { type ReportMark, readReportMark, writeReportMark } from '../text/report-mark.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type Author, findAuthor, isWrittenBy, markOf, maxPages, maxTries, type Publisher } from './comments.ts';
import type { GithubRun } from './github-run.ts';

/** The result of a scheduled run that looked for drift. */
export type DriftIssue = {
  /** Tells the issues of several jobs apart. */
  readonly id: string;
} & (
  | {
      readonly is: 'found';
      readonly title: string;
      /** Markdown. */
      readonly body: string;
      /** Identifies what drifted. An issue that was closed as not planned stays closed for the same drift. */
      readonly drifted: readonly string[];
    }
  | {
      readonly is: 'over';
      /** Markdown: the comment with which the issue is closed. */
      readonly body: string;
    }
);

/** `muted`: a person closed the issue of the same drift as not planned. `none`: there was no issue to close. */
export type KeptIssue =
  | { readonly ok: true; readonly how: 'opened' | 'updated' | 'closed' | 'muted' | 'none'; readonly url?: string }
  | { readonly ok: false; readonly message: string; readonly status?: number };

type Failed = Extract<ApiReply, { ok: false }>;

/** Keeps one issue of each id in the repository. It never changes an issue that somebody else wrote. */
export async function keepIssue(
  api: JsonApi,
  run: GithubRun,
  issue: DriftIssue,
  publisher: Publisher,
): Promise<KeptIssue> {
  const author = await findAuthor(api, run.graphqlUrl);
  const found = await listOwn(api, run, { id: issue.id, author }, 'open');
  if (!found.ok) return found;
  if (issue.is === 'over') return closeAll(api, run, found.own, { ...publisher, body: issue.body });
  return openOrUpdate(api, run, issue, { ...publisher, author, open: found.own });
}

interface OwnIssue {
  readonly number: number;
  readonly mark: ReportMark;
  readonly url?: string;
  readonly body: string;
  /** GitHub's reason for closing the issue. */
  readonly closedAs?: string;
}

interface Wanted {
  readonly id: string;
  readonly author: Author;
}

/** The issues of one id, the oldest first. Closed issues come from the page with the newest only. */
async function listOwn(
  api: JsonApi,
  { repository }: GithubRun,
  wanted: Wanted,
  state: 'open' | 'closed',
): Promise<{ readonly ok: true; readonly own: readonly OwnIssue[] } | Failed> {
  const own: OwnIssue[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const query = `state=${state}&sort=created&direction=desc&per_page=100&page=${page}`;
    const reply = await api.ask('GET', `/repos/${repository}/issues?${query}`);
    if (!reply.ok) return reply;
    const issues = itemsOf(reply.value);
    own.push(...issues.flatMap((issue) => readOwn(issue, wanted) ?? []));
    if (issues.length < 100 || (state === 'closed' && own.length > 0)) break;
  }
  return { ok: true, own: own.sort((a, b) => a.number - b.number) };
}

/** Anyone can write the marker into an issue, so the author decides. Pull requests are listed among issues. */
function readOwn(issue: JsonValue, { id, author }: Wanted): OwnIssue | undefined {
  if (!isJsonObject(issue) || issue['pull_request'] !== undefined || !isWrittenBy(issue, author)) return undefined;
  const number = numberAt(issue, 'number');
  const body = textAt(issue, 'body') ?? '';
  const mark = readReportMark(body);
  if (number === undefined || mark?.id !== markId(id)) return undefined;
  return {
    number,
    mark,
    body,
    ...defined({ url: textAt(issue, 'html_url'), closedAs: textAt(issue, 'state_reason') }),
  };
}

function markId(id: string): string {
  return `drift:${id}`;
}

function writeFingerprint(drifted: readonly string[]): string {
  return `<!-- drifted=${sha256Hex(JSON.stringify(drifted.toSorted())).slice(0, 12)} -->`;
}

type Finding = Extract<DriftIssue, { is: 'found' }>;

interface Opening extends Publisher {
  readonly author: Author;
  readonly open: readonly OwnIssue[];
}

async function openOrUpdate(api: JsonApi, run: GithubRun, issue: Finding, opening: Opening): Promise<KeptIssue> {
  const { writer, author, open, wait } = opening;
  const fingerprint = writeFingerprint(issue.drifted);
  const content = {
    title: issue.title,
    body: `${writeReportMark(markOf(markId(issue.id), run, writer))}\n${fingerprint}\n${issue.body}`,
  };
  const [first] = open;
  if (first !== undefined) return update(api, run, first, content);
  const closed = await listOwn(api, run, { id: issue.id, author }, 'closed');
  if (!closed.ok) return closed;
  const last = closed.own.at(-1);
  if (last?.closedAs === 'not_planned' && last.body.includes(fingerprint)) {
    return { ok: true, how: 'muted', ...defined({ url: last.url }) };
  }
  for (let attempt = 1; ; attempt += 1) {
    const reply = await api.ask('POST', `/repos/${run.repository}/issues`, content);
    if (!reply.ok && !reply.isTransient) return reply;
    // Another run may have opened one at the same time, and a creation without an answer may have happened.
    const listed = await listOwn(api, run, { id: issue.id, author }, 'open');
    const known = listed.ok ? listed.own : [];
    const own = known.find(({ mark }) => mark.writer === writer)?.number;
    const created = numberAt(valueOf(reply), 'number') ?? own;
    if (created !== undefined) return settle(api, run, { created, open: known, content, reply });
    if (!reply.ok && attempt >= maxTries) return reply;
    await wait(1000 * attempt);
  }
}

interface Content {
  readonly title: string;
  readonly body: string;
}

/** Keeps the older of two issues that were opened at the same time. */
async function settle(
  api: JsonApi,
  run: GithubRun,
  { created, open, content, reply }: { created: number; open: readonly OwnIssue[]; content: Content; reply: ApiReply },
): Promise<KeptIssue> {
  const [first] = open;
  if (first === undefined || first.number >= created) {
    const url = first?.url ?? textAt(valueOf(reply), 'html_url');
    return { ok: true, how: 'opened', ...defined({ url }) };
  }
  const body = `${content.body}\n\nClosed: another run opened #${first.number} at the same time.\n`;
  const closed = await patch(api, run, created, { body, state: 'closed', state_reason: 'completed' });
  return closed.ok ? update(api, run, first, content) : closed;
}

async function update(api: JsonApi, run: GithubRun, issue: OwnIssue, content: Content): Promise<KeptIssue> {
  const { mark, number, url } = issue;
  if (isLater(mark, run)) return { ok: true, how: 'updated', ...defined({ url }) };
  const reply = await patch(api, run, number, { ...content });
  return reply.ok ? { ok: true, how: 'updated', ...defined({ url }) } : reply;
}

/** True if a later run wrote the issue, so that an older result is out of date. */
function isLater(mark: ReportMark, { runId = 0, runAttempt = 1 }: GithubRun): boolean {
  return mark.runId > runId || (mark.runId === runId && mark.part > runAttempt);
}

async function closeAll(
  api: JsonApi,
  run: GithubRun,
  open: readonly OwnIssue[],
  comment: Publisher & { readonly body: string },
): Promise<KeptIssue> {
  let kept: KeptIssue = { ok: true, how: 'none' };
  for (const { number, mark, url } of open) {
    if (isLater(mark, run)) continue;
    // The comment comes first: an issue that is closed without a word is not looked at again.
    const posted = await sayOnce(api, run, number, comment);
    if (!posted.ok) return posted;
    const closed = await patch(api, run, number, { state: 'closed', state_reason: 'completed' });
    if (!closed.ok) return closed;
    kept = { ok: true, how: 'closed', ...defined({ url }) };
  }
  return kept;
}

/** A comment whose creation gets no answer is looked for before it is written again. */
async function sayOnce(
  api: JsonApi,
  run: GithubRun,
  number: number,
  { writer, wait, body }: Publisher & { readonly body: string },
): Promise<ApiReply> {
  const path = `/repos/${run.repository}/issues/${number}/comments`;
  const marked = `${writeReportMark(markOf('drift-over', run, writer))}\n${body}`;
  for (let attempt = 1; ; attempt += 1) {
    const reply = await api.ask('POST', path, { body: marked });
    if (reply.ok || !reply.isTransient || attempt >= maxTries) return reply;
    await wait(1000 * attempt);
    // The list begins with the oldest: those since this run are enough.
    const listed = await api.ask('GET', `${path}?per_page=100`);
    const comments = itemsOf(valueOf(listed));
    const own = comments.find((comment) => readReportMark(textAt(comment, 'body'))?.writer === writer);
    if (own !== undefined) return { ok: true, value: own };
  }
}

function patch(api: JsonApi, { repository }: GithubRun, number: number, body: JsonValue): Promise<ApiReply> {
  return api.ask('PATCH', `/repos/${repository}/issues/${number}`, body);
}
