import { describe, expect, test } from 'vitest';
import { type Comment, type CommentStore, upsertComment } from '../../src/publishing/upsert-comment.ts';
import { type ReportMark, readReportMark, writeReportMark } from '../../src/text/report-mark.ts';

interface Stored {
  readonly id: number;
  body: string;
  readonly isOwn: boolean;
}

const head = 'a'.repeat(40);
const own: ReportMark = { id: 'job', runId: 12, part: 1, commit: head, writer: 'me' };
const refused = { ok: false, status: 403, message: 'refused', isTransient: false } as const;
const broken = { ok: false, message: 'no answer', isTransient: true } as const;

interface Script {
  readonly comments?: readonly Stored[];
  readonly head?: string | undefined;
  /** The replies to the first writes; undefined: the write happens. */
  readonly writes?: readonly (
    | typeof refused
    | typeof broken
    | { ok: false; status: 404; message: string; isTransient: false }
    | undefined
  )[];
  /** Runs after a write has happened, as another job would. */
  readonly afterWrite?: (comments: Stored[], id: number) => void;
  readonly list?: typeof refused;
  readonly isKept?: boolean;
  readonly hasNoId?: boolean;
}

/** A pull request in memory. */
function openStore(script: Script = {}) {
  const comments: Stored[] = [...(script.comments ?? [])];
  const log: string[] = [];
  const waits: number[] = [];
  let writes = 0;
  const store: CommentStore = {
    findHead: () => Promise.resolve('head' in script ? script.head : head),
    list(page) {
      log.push(`list ${page}`);
      if (script.list !== undefined) return Promise.resolve(script.list);
      return Promise.resolve({ ok: true, comments: comments.slice((page - 1) * 100, page * 100) });
    },
    write(id, body) {
      const reply = script.writes?.[writes];
      writes += 1;
      log.push(`write ${id ?? 'new'}`);
      if (reply !== undefined) return Promise.resolve(reply);
      const found = comments.find((comment) => comment.id === id);
      const written = found ?? { id: 900 + writes, body, isOwn: true };
      written.body = body;
      if (found === undefined) comments.push(written);
      script.afterWrite?.(comments, written.id);
      const known = script.hasNoId === true ? {} : { id: written.id };
      return Promise.resolve({ ok: true, ...known, url: `https://x/${written.id}` });
    },
    remove(id) {
      log.push(`remove ${id}`);
      if (script.isKept === true) return Promise.resolve(false);
      comments.splice(
        comments.findIndex((comment) => comment.id === id),
        1,
      );
      return Promise.resolve(true);
    },
    read(id) {
      log.push(`read ${id}`);
      return Promise.resolve(comments.find((comment) => comment.id === id)?.body);
    },
  };
  const wait = (ms: number) => {
    waits.push(ms);
    return Promise.resolve();
  };
  return { store, comments, log, waits, wait };
}

const comment: Comment = {
  mark: own,
  body: 'report',
  isSibling: ({ runId, writer }) => runId === own.runId && writer !== own.writer,
  isSameJob: ({ job }) => job === own.job,
  noun: 'pull request',
};

const of = (id: number, mark: Partial<ReportMark> = {}, isOwn = true): Stored => {
  const older = { ...own, runId: 11, commit: 'b'.repeat(40), writer: 'other', ...mark };
  return { id, body: `${writeReportMark(older)}\nold`, isOwn };
};
const foreign = (count: number): Stored[] =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, body: 'hello', isOwn: true }));

async function upsert(script: Script, more: Partial<Comment> = {}) {
  const opened = openStore(script);
  const published = await upsertComment(opened.store, { ...comment, ...more }, opened.wait);
  return { ...opened, published };
}

describe('the comment that is written', () => {
  const updated = (id: number) => ({ ok: true, how: 'updated', url: `https://x/${id}` });
  const created = { ok: true, how: 'created', url: 'https://x/901' };

  test.each<[string, Script, Partial<Comment>, object, string]>([
    ['none yet', {}, {}, created, 'list 1, write new, list 1'],
    ['one of an older run', { comments: [of(5)] }, {}, updated(5), 'list 1, write 5, read 5'],
    ['the first of two', { comments: [of(5), of(6)] }, {}, updated(5), 'list 1, write 5, read 5'],
    [
      'one of a person with the same marker',
      { comments: [of(5, {}, false)] },
      {},
      created,
      'list 1, write new, list 1',
    ],
    ['one of another id', { comments: [of(5, { id: 'else' })] }, {}, created, 'list 1, write new, list 1'],
    [
      'one of another job of the run',
      { comments: [of(5, { runId: 12, commit: head })] },
      {},
      { ...created, isShared: true },
      'list 1, write new, list 1',
    ],
    [
      'one of another job of the run and one of an older run',
      { comments: [of(5, { runId: 12, commit: head }), of(6)] },
      {},
      { ...updated(6), isShared: true },
      'list 1, write 6, read 6',
    ],
    [
      'its own behind that of another job',
      { comments: [of(5, { job: 'x' }), of(6)] },
      {},
      updated(6),
      'list 1, write 6, read 6',
    ],
    [
      'only that of another job',
      { comments: [of(5, { job: 'x' }), of(6, { job: 'y' })] },
      {},
      updated(5),
      'list 1, write 5, read 5',
    ],
    [
      'one on the second page',
      { comments: [...foreign(100), of(500)] },
      {},
      updated(500),
      'list 1, list 2, write 500, read 500',
    ],
    ['one behind a page that is not full', { comments: [...foreign(99)] }, {}, created, 'list 1, write new, list 1'],
    [
      'none behind a full page',
      { comments: foreign(100) },
      {},
      { ok: true, how: 'created', url: 'https://x/901' },
      'list 1, list 2, write new, list 1, list 2',
    ],
    [
      'an earlier attempt',
      { comments: [of(5), of(6, { part: 1, runId: 12 })] },
      { isEarlierAttempt: ({ runId }) => runId === 12, isSibling: () => false },
      updated(6),
      'list 1, write 6, read 6',
    ],
    [
      'two earlier attempts',
      { comments: [of(5, { runId: 12 }), of(6, { runId: 12 })] },
      { isEarlierAttempt: ({ runId }) => runId === 12, isSibling: () => false },
      { ...created, isShared: true },
      'list 1, write new, list 1',
    ],
    [
      'no earlier attempt, an older run',
      { comments: [of(4, { job: 'x' }), of(5), of(6)] },
      { isEarlierAttempt: () => false },
      updated(5),
      'list 1, write 5, read 5',
    ],
    [
      'no earlier attempt, only another job',
      { comments: [of(4, { job: 'x' }), of(5, { job: 'y' })] },
      { isEarlierAttempt: () => false },
      updated(4),
      'list 1, write 4, read 4',
    ],
  ])('%s', async (_, script, more, published, log) => {
    const result = await upsert(script, more);
    expect([result.published, result.log.join(', '), result.waits]).toEqual([published, log, []]);
  });

  test('begins with the mark of its writer, and the report follows', async () => {
    const { comments } = await upsert({});
    expect(comments.map(({ body }) => body)).toEqual([`${writeReportMark(own)}\nreport`]);
  });

  test('is looked for on a hundred pages', async () => {
    const { log, published } = await upsert({ comments: [...foreign(10_000), of(20_000)], hasNoId: true });
    expect(published).toMatchObject({ how: 'created' });
    expect([log.length, log[99]]).toEqual([101, 'list 100']);
  });
});

describe('a newer commit', () => {
  const newer = 'c'.repeat(40);
  const message = 'the pull request has a newer commit, cccccccccccc';
  test.each<[string, Script, object]>([
    ['of the request', { head: newer }, { ok: false, message }],
    [
      'of a comment, where the head is unknown',
      { head: undefined, comments: [of(5, { runId: 13, commit: newer })] },
      { ok: false, message },
    ],
    ['of an older run', { head: undefined, comments: [of(5, { runId: 11, commit: newer })] }, { how: 'updated' }],
    [
      'of the same run',
      { head: undefined, comments: [of(5, { runId: 12, commit: newer, writer: 'me' })] },
      { how: 'updated' },
    ],
    [
      'of a later run of the same commit',
      { head: undefined, comments: [of(5, { runId: 13, commit: head })] },
      { how: 'updated' },
    ],
    [
      'of a comment, where the head is this one',
      { comments: [of(5, { runId: 13, commit: newer })] },
      { how: 'updated' },
    ],
  ])('%s', async (_, script, published) => {
    expect((await upsert(script)).published).toMatchObject(published);
  });

  test('of a merge request is called so', async () => {
    const { published } = await upsert({ head: newer }, { noun: 'merge request' });
    expect(published).toEqual({ ok: false, message: 'the merge request has a newer commit, cccccccccccc' });
  });
});

describe('what goes wrong', () => {
  const gone = { ok: false, status: 404, message: 'gone', isTransient: false } as const;
  test.each<[string, Script, object, readonly number[]]>([
    ['comments that cannot be listed', { list: refused }, refused, []],
    ['a refusal', { writes: [refused] }, refused, []],
    ['no answer, once', { writes: [broken] }, { how: 'created' }, [1000]],
    ['no answer, thrice', { writes: [broken, broken, broken] }, { how: 'created' }, [1000, 2000, 3000]],
    ['no answer, four times', { writes: [broken, broken, broken, broken] }, broken, [1000, 2000, 3000]],
    ['a comment that was deleted meanwhile', { comments: [of(5)], writes: [gone] }, { how: 'updated' }, [1000]],
    ['a new comment where nothing is found', { writes: [gone] }, gone, []],
    ['a refusal to update', { comments: [of(5)], writes: [refused] }, refused, []],
  ])('%s', async (_, script, published, waits) => {
    const result = await upsert(script);
    expect(result.published).toMatchObject(published);
    expect(result.waits).toEqual(waits);
  });
});

describe('two jobs at the same time', () => {
  test('replace the same comment: the one that lost makes its own', async () => {
    let isFirst = true;
    const { published, waits, comments } = await upsert({
      comments: [of(5)],
      afterWrite(found) {
        const [first] = found;
        if (isFirst && first !== undefined) first.body = of(5, { runId: 12, commit: head }).body;
        isFirst = false;
      },
    });
    expect(published).toMatchObject({ how: 'created', isShared: true });
    expect([waits, comments.length]).toEqual([[1000], 2]);
  });

  test.each([
    ['another id', { id: 'else' }, 'updated'],
    ['the same writer', { writer: 'me' }, 'updated'],
  ])('a comment that then has %s counts as its own', async (_, mark, how) => {
    const { published, waits } = await upsert({
      comments: [of(5)],
      afterWrite(found) {
        const [first] = found;
        if (first !== undefined) first.body = of(5, { runId: 12, ...mark }).body;
      },
    });
    expect([published, waits]).toEqual([{ ok: true, how, url: 'https://x/5' }, []]);
  });

  test('that went on replacing each other give up after four tries', async () => {
    const { published, waits } = await upsert({
      comments: [of(5)],
      afterWrite(found) {
        const [first] = found;
        if (first !== undefined) first.body = of(5, { runId: 11 }).body;
      },
    });
    expect(published).toEqual({ ok: false, message: 'other jobs with the same id replaced it' });
    expect(waits).toEqual([1000, 2000, 3000]);
  });

  const beside = (found: Stored[]): void => {
    if (!found.some(({ id }) => id === 5)) found.unshift(of(5));
  };
  test('both make a comment: the second is removed, and the first updated', async () => {
    const { published, comments, log } = await upsert({ afterWrite: beside });
    expect(published).toMatchObject({ how: 'updated' });
    expect(comments.map(({ id, body }) => [id, readReportMark(body)?.writer])).toEqual([[5, 'me']]);
    expect(log.join(', ')).toBe('list 1, write new, list 1, remove 901, list 1, write 5, read 5');
  });

  test.each<[string, Script]>([
    ['cannot be removed', { isKept: true }],
    ['has no id', { hasNoId: true }],
  ])('a second one that %s stays', async (_, script) => {
    const { published, comments } = await upsert({ ...script, afterWrite: beside });
    expect([published.ok, comments.length]).toEqual([true, 2]);
  });
});
