import type { ApiPorts } from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import { systemClock } from '../model/clock.ts';
import type { Published } from '../model/report/report.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';
import { type ReportMark, readReportMark, writeReportMark } from '../text/report-mark.ts';

type Failed = { readonly ok: false; readonly status?: number; readonly message: string; readonly isTransient: boolean };

interface StoredComment {
  readonly id: number;
  readonly body: string;
  /** True where the token's owner wrote it: anyone can copy a marker. */
  readonly isOwn: boolean;
}

/** The comments of one pull request or merge request. */
export interface CommentStore {
  /** The newest commit of the request; undefined where the token may not read it. */
  findHead(): Promise<string | undefined>;
  /** A page, counted from 1, the oldest comment first. */
  list(page: number): Promise<{ readonly ok: true; readonly comments: readonly StoredComment[] } | Failed>;
  write(
    id: number | undefined,
    body: string,
  ): Promise<{ readonly ok: true; readonly id?: number; readonly url?: string } | Failed>;
  /** False where it stays. */
  remove(id: number): Promise<boolean>;
  /** Undefined where it can't be read. */
  read(id: number): Promise<string | undefined>;
}

export interface Comment {
  readonly mark: ReportMark;
  /** Markdown. */
  readonly body: string;
  /** True for the mark of another job of the same run. */
  readonly isSibling: (mark: ReportMark) => boolean;
  /** True for the mark of this job, perhaps of an older run. */
  readonly isSameJob: (mark: ReportMark) => boolean;
  /** True for the mark of this job, from an earlier attempt of the same run; absent in a first attempt. */
  readonly isEarlierAttempt?: ((mark: ReportMark) => boolean) | undefined;
  readonly noun: 'pull request' | 'merge request';
}

/** Comments of a page; fewer are the last page. */
export const pageSize = 100;
const maxPages = 100;
const maxTries = 4;

/**
 * Keeps one comment of each id: updates the one of an older run, or creates it. It never replaces the comment of another
 * job of the same run, nor that of a newer commit.
 */
export async function upsertComment(
  store: CommentStore,
  comment: Comment,
  wait: (ms: number) => Promise<void>,
): Promise<Published> {
  const { mark, noun } = comment;
  const body = `${writeReportMark(mark)}\n${comment.body}`;
  const outdated = (commit: string): Published => {
    return { ok: false, message: `the ${noun} has a newer commit, ${commit.slice(0, 12)}` };
  };
  for (let attempt = 1; ; attempt += 1) {
    const head = await store.findHead();
    if (head !== undefined && head !== mark.commit) return outdated(head);
    const found = await findComment(store, comment);
    if (!found.ok) return found;
    const { own, isShared } = found;
    if (head === undefined && own !== undefined && isNewer(own.mark, mark)) return outdated(own.mark.commit);
    const reply = await store.write(own?.id, body);
    // Two jobs that chose the same comment at the same time both replaced it: the one that lost looks for another.
    const isLost =
      reply.ok &&
      (own === undefined ? await isSecond(store, comment, reply.id) : await isReplaced(store, own.id, mark));
    if (reply.ok && !isLost) {
      const how = own === undefined ? 'created' : 'updated';
      return { ok: true, how, ...defined({ url: reply.url, isShared: isShared || undefined }) };
    }
    if (attempt >= maxTries) {
      return reply.ok ? { ok: false, message: 'other jobs with the same id replaced it' } : reply;
    }
    // A creation without an answer may have happened, so the comment is looked for before another is created.
    if (!reply.ok && !reply.isTransient && !(own !== undefined && reply.status === 404)) return reply;
    await wait(1000 * attempt);
  }
}

function isNewer(mark: ReportMark, own: ReportMark): boolean {
  return mark.commit !== own.commit && mark.runId > own.runId;
}

type FoundComment = {
  readonly ok: true;
  readonly own?: { readonly id: number; readonly mark: ReportMark };
  readonly isShared: boolean;
};

/** The comment of this job, else the first one of the id that no other job of the run wrote. */
async function findComment(
  store: CommentStore,
  { mark, isSibling, isSameJob, isEarlierAttempt }: Comment,
): Promise<FoundComment | Failed> {
  let isShared = false;
  let first: FoundComment['own'];
  let same: FoundComment['own'];
  const earlier: NonNullable<FoundComment['own']>[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const reply = await store.list(page);
    if (!reply.ok) return reply;
    for (const { id, body, isOwn } of reply.comments) {
      const found = isOwn ? readReportMark(body) : undefined;
      if (found?.id !== mark.id) continue;
      if (isSibling(found)) isShared = true;
      else if (isEarlierAttempt?.(found) === true) earlier.push({ id, mark: found });
      else if (!isSameJob(found)) first ??= { id, mark: found };
      else if (isEarlierAttempt === undefined) return { ok: true, own: { id, mark: found }, isShared };
      else same ??= { id, mark: found };
    }
    if (reply.comments.length < pageSize) break;
  }
  const [only = same ?? first] = earlier;
  // Nothing tells which of them this job wrote before: it leaves both.
  if (earlier.length > 1) return { ok: true, isShared: true };
  return { ok: true, isShared, ...defined({ own: only }) };
}

/** True where another run made its comment a moment before: then the one of this run is removed, and that one updated. */
async function isSecond(store: CommentStore, comment: Comment, ownId: number | undefined): Promise<boolean> {
  if (ownId === undefined) return false;
  const found = await findComment(store, comment);
  if (!found.ok || found.own === undefined || found.own.id === ownId) return false;
  return store.remove(ownId);
}

/** True where another process has written the comment since. One that can't be read counts as ours. */
async function isReplaced(store: CommentStore, commentId: number, { id, writer }: ReportMark): Promise<boolean> {
  const mark = readReportMark(await store.read(commentId));
  return mark !== undefined && mark.id === id && mark.writer !== writer;
}

const requestMs = 30_000;

export interface PublishPorts {
  readonly env: GitEnvironment;
  readonly token: string;
  readonly now: () => Date;
  /** Drawn at random for this process: letters and digits. */
  readonly writer: string;
  /** Default: really waits. */
  readonly wait?: (ms: number) => Promise<void>;
}

export async function withApiPorts<T>(
  { env, now, wait = waitReally }: PublishPorts,
  use: (ports: ApiPorts) => Promise<T>,
): Promise<T> {
  // Loaded here, since a run that writes no comment and no check sends nothing.
  const { openHttpClient } = await import('../http/client.ts');
  // A creation that is repeated on a stale connection would make two comments.
  const http = openHttpClient({ env, isFresh: true });
  const send: ApiPorts['send'] = (request) => http.send({ ...request, signal: AbortSignal.timeout(requestMs) });
  try {
    return await use({ send, wait, now });
  } finally {
    http.close();
  }
}

const { signal: never } = new AbortController();

function waitReally(ms: number): Promise<void> {
  return systemClock.wait(ms, never);
}
