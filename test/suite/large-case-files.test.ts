import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { renderCodeFrame } from '../../src/text/line-index.ts';
import { catchUserError } from '../record/build-rows.ts';
import { loadAt, onlySuite, placeOf, problemsAt } from './load-fixture.ts';

/** Six rows of a million characters: more than are kept, so they are read again. */
const filler = 'x'.repeat(1 << 20);
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

const suite = (file: string) => `suite: large
prompts: [{ id: v1, text: "{{ name }} {{ filler }}" }]
providers: [openai:gpt-4o-mini]
defaults: { assert: [{ equals: "{{ expected }}" }] }
cases:
  - { id: first, vars: { name: first, filler: "" }, expected: first }
  - { file: ${file}, tags: [bulk] }
  - { id: last, vars: { name: last, filler: "" }, expected: last }
`;

function writeProject(file: string, content: string | Buffer): string {
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-test-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'llmcheck.config.yaml'), 'suites: [large.eval.yaml]\n');
  writeFileSync(join(root, 'large.eval.yaml'), suite(file));
  writeFileSync(join(root, 'schema.json'), '{"type": "string"}');
  writeFileSync(join(root, file), content);
  return root;
}

const jsonLines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const jsonRow = (name: string, more = {}) => ({ id: name, vars: { name, filler }, expected: name, ...more });

describe('files of more cases than are kept in memory', () => {
  test('every reading gives the same cases, in the order of the files, each with its place', {
    tags: ['slow'],
  }, async () => {
    const rows = names.map((name) => jsonRow(name));
    const large = onlySuite(await loadAt(writeProject('cases.jsonl', jsonLines(rows))));
    const read = () =>
      Array.from(large.cases(), ({ id, vars, checks, tags, caseHash, at }) => ({
        id,
        vars,
        checks,
        tags,
        caseHash,
        at,
      }));
    const [once, twice] = [read(), read()];
    expect(twice).toEqual(once);
    expect(large.caseCount).toBe(8);
    expect(once.map(({ id, at, tags }) => [id, at.file, at.line, tags.length])).toEqual([
      ['first', 'large.eval.yaml', 6, 0],
      ...names.map((name, index) => [name, 'cases.jsonl', index + 1, 1]),
      ['last', 'large.eval.yaml', 8, 0],
    ]);
    // As a row says it that is kept.
    const small = onlySuite(await loadAt(writeProject('cases.jsonl', jsonLines(rows.slice(5)))));
    expect(once.find(({ id }) => id === 'f')?.caseHash).toBe([...small.cases()].find(({ id }) => id === 'f')?.caseHash);
  });

  test('the files before and after the one that is too much are read in their turn', async () => {
    const root = writeProject('cases.jsonl', jsonLines(names.map((name) => jsonRow(name))));
    const short = (name: string) => ({ id: name, vars: { name, filler: '' }, expected: name });
    writeFileSync(join(root, 'before.jsonl'), jsonLines([short('0'), short('1')]));
    writeFileSync(join(root, 'after.csv'), 'id,expected,name,filler\ny,y,y,\nz,z,z,\n');
    writeFileSync(
      join(root, 'large.eval.yaml'),
      suite('cases.jsonl')
        .replace('  - { file', '  - { file: before.jsonl }\n  - { file')
        .replace('  - { id: last', '  - { file: after.csv }\n  - { id: last'),
    );
    const large = onlySuite(await loadAt(root));
    const expected = ['first', '0', '1', ...names, 'y', 'z', 'last'];
    for (const _ of [1, 2]) expect(Array.from(large.cases(), ({ id }) => id)).toEqual(expected);
    expect(large.caseCount).toBe(expected.length);
  });

  test('rows keep their own assertions and turns, those with files and spelled numbers too', {
    tags: ['slow'],
  }, async () => {
    const own = names.map((name) =>
      jsonRow(name, {
        assert: [{ contains: `only ${name}` }, { jsonSchema: 'schema.json' }, { equals: '{{ name | upcase }}' }],
        turns: [{ user: `and ${name}?`, assert: [{ contains: name }] }],
      }),
    );
    const text = `${jsonLines(own)}{"id": "one", "vars": {"name": "n", "filler": ""}, "expected": "n", "assert": [{"equals": 1.0}]}\n`;
    const large = onlySuite(await loadAt(writeProject('cases.jsonl', text)));
    const [...read] = large.cases();
    expect(read.map(({ checks }) => checks.map(({ source }) => source)).slice(1, 7)).toEqual(
      names.map((name) => [
        { equals: name },
        { contains: `only ${name}` },
        { jsonSchema: { type: 'string' } },
        { equals: name.toUpperCase() },
      ]),
    );
    expect(read[6]?.turns).toMatchObject([{ kind: 'user', content: 'and f?' }]);
    expect(read[7]?.checks.at(-1)?.source).toEqual({ equals: { $number: '1.0' } });
    expect([...large.cases()].map(({ caseHash }) => caseHash)).toEqual(read.map(({ caseHash }) => caseHash));
  });

  test('a table is read so too, with fields over several lines', { tags: ['slow'] }, async () => {
    const rows = names.map((name) => `${name},"${name}\n""quoted""",${name},${filler}`);
    const large = onlySuite(await loadAt(writeProject('cases.csv', `id,expected,name,filler\n${rows.join('\n')}\n`)));
    expect(Array.from(large.cases(), ({ id, expected, at }) => [id, expected, at.line])).toEqual([
      ['first', 'first', 6],
      ...names.map((name, index) => [name, `${name}\n"quoted"`, 2 + 2 * index]),
      ['last', 'last', 8],
    ]);
  });

  test('a field over several lines is read after a row on one line', async () => {
    const table = 'id,expected,name,filler\nplain,p,plain,\nlong,"a\nb",long,\n';
    const suiteOfRows = onlySuite(await loadAt(writeProject('cases.csv', table)));
    expect(Array.from(suiteOfRows.cases(), ({ id, expected, at }) => [id, expected, at.line]).slice(1, 3)).toEqual([
      ['plain', 'p', 2],
      ['long', 'a\nb', 3],
    ]);
  });

  test('a mistake in assertions that many rows share is reported once', async () => {
    const rows = names.slice(0, 3).map((name) => ({ ...jsonRow(name), assert: [{ contanis: 'x' }] }));
    expect((await problemsAt(writeProject('cases.jsonl', jsonLines(rows)))).map(placeOf)).toEqual([
      expect.stringMatching(/^cases.jsonl:1:\d+ unknown-assertion$/),
    ]);
  });

  test('an id that occurs twice is reported with both places, however far apart', { tags: ['slow'] }, async () => {
    const rows = [...names, 'a', 'f', 'last'].map((name) => jsonRow(name));
    const problems = await problemsAt(writeProject('cases.jsonl', jsonLines(rows)));
    expect(problems.map((problem) => [placeOf(problem), problem.message])).toEqual([
      ['cases.jsonl:7:7 duplicate-id', 'two cases have the id "a" (the first at cases.jsonl:1)'],
      ['cases.jsonl:8:7 duplicate-id', 'two cases have the id "f" (the first at cases.jsonl:6)'],
      ['large.eval.yaml:8:11 duplicate-id', 'two cases have the id "last" (the first at cases.jsonl:9)'],
    ]);
  });

  test('a mistake far behind is reported with its place', async () => {
    const rows = `${jsonLines(names.map((name) => jsonRow(name)))}{"id": "g", "vars": {}, "tag": 1}\nnonsense\n`;
    const problems = await problemsAt(writeProject('cases.jsonl', rows));
    expect(problems.map(placeOf)).toEqual(['cases.jsonl:7:25 unknown-key', 'cases.jsonl:8:1 syntax']);
  });

  test('what is wrong at the end of a long row is shown, not the start of the row', async () => {
    const long = JSON.stringify({ id: 'a', vars: { name: 'a', filler: 'x'.repeat(5000) }, wrong: 1 });
    const problems = await problemsAt(writeProject('cases.jsonl', `${long}\n${long.slice(0, -2)}\n`));
    const frames = problems.map(({ at }) => (at === undefined ? [] : renderCodeFrame(at)));
    expect(frames).toMatchObject([
      [expect.stringMatching(/^> 1 \| x+"},"wrong":1}$/), expect.stringMatching(/^ {4}\| {50}\^$/)],
      [expect.stringMatching(/^> 2 \| x+"},"wrong":$/), expect.stringMatching(/^ {4}\| {50}\^$/)],
    ]);
  });

  test('bytes that are no text refuse the file, a byte order mark does not', async () => {
    const bytes = Buffer.concat([
      Buffer.from(jsonLines(names.map((name) => jsonRow(name)))),
      Buffer.from([0xff, 0x0a]),
    ]);
    expect(await problemsAt(writeProject('cases.jsonl', bytes))).toMatchObject([
      { code: 'file-unreadable', message: 'cases.jsonl is not UTF-8 text', at: { file: 'large.eval.yaml' } },
    ]);
    const marked = onlySuite(await loadAt(writeProject('cases.jsonl', `\ufeff${jsonLines([jsonRow('\ufffd')])}`)));
    expect(Array.from(marked.cases(), ({ id }) => id)).toEqual(['first', '\ufffd', 'last']);
  });

  test('a file that changes after it was checked is a fault, and not read as if it were the same', async () => {
    const root = writeProject('cases.jsonl', jsonLines(names.map((name) => jsonRow(name))));
    const large = onlySuite(await loadAt(root));
    appendFileSync(join(root, 'cases.jsonl'), jsonLines([jsonRow('g')]));
    expect(catchUserError(() => [...large.cases()]).problems).toMatchObject([
      { code: 'file-unreadable', message: 'cases.jsonl was changed while its cases were being read' },
    ]);
    rmSync(join(root, 'cases.jsonl'));
    expect(catchUserError(() => [...large.cases()]).problems).toMatchObject([{ code: 'file-unreadable' }]);
  });
});
