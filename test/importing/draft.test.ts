import { expect, test } from 'vitest';
import { createDraft, isMap, nameOf, placeAt, quote, readWritten, withValue } from '../../src/importing/draft.ts';
import type { SourceLocation } from '../../src/model/problem.ts';

const at = { file: 'config.yaml', line: 3, column: 5 };
const withExcerpt = (...lines: readonly string[]): SourceLocation => ({ ...at, excerpt: { start: 3, lines } as never });

test('what is left out shows no key, by its name or by its form', () => {
  const draft = createDraft();
  const shown = (value: unknown) => draft.refuse(placeAt(value, at), 'no').value;
  expect(shown('sk-abcdefgh')).toBe('…');
  expect(shown('sk-short')).toBe('sk-short');
  expect(shown({ apiKey: 'x', plain: 'y', n: 5, none: null, deep: { Authorization: ['a', { z: 'b' }] } })).toEqual({
    apiKey: '…',
    plain: 'y',
    n: 5,
    none: null,
    deep: { Authorization: ['…', { z: 'b' }] },
  });
  for (const name of ['token', 'my_secret', 'dbPassword', 'cookies', 'CREDENTIALS']) {
    expect(shown({ [name]: 'x', list: ['sk-12345678'] })).toEqual({ [name]: '…', list: ['…'] });
  }
});

test('an excerpt with a key in one of its lines is not shown', () => {
  const placeOf = (...lines: readonly string[]) => {
    const draft = createDraft();
    draft.refuse(placeAt(1, withExcerpt(...lines)), 'no');
    draft.note(placeAt(1, withExcerpt(...lines)), 'so');
    return [...draft.refused, ...draft.notes].map((one) => one.at?.excerpt !== undefined);
  };
  expect(placeOf('a: 1', 'b: 2')).toEqual([true, true]);
  expect(placeOf('a: 1', 'apiKey: x')).toEqual([false, false]);
  expect(placeOf('"Authorization": "x"', 'b: 2')).toEqual([false, false]);
  expect(placeOf('a: sk-12345678', 'b: 2')).toEqual([false, false]);
  // A key without a value is none.
  expect(placeOf('apiKey:', 'b: 2')).toEqual([true, true]);
});

test('the same part is refused or noted once, with its hint', () => {
  const draft = createDraft();
  const written = placeAt('x', at);
  draft.refuse(written, 'no', 'try');
  draft.refuse(written, 'no', 'try');
  draft.refuse(written, 'other');
  draft.refuse(placeAt('x', { ...at, column: 6 }), 'no');
  draft.note(written, 'so');
  draft.note(written, 'so');
  draft.note(written, 'and');
  const problem = { code: 'not-carried-over', severity: 'error', at };
  expect(draft.refused).toEqual([
    { ...problem, message: 'no', hint: 'try' },
    { ...problem, message: 'other' },
    { ...problem, message: 'no', at: { ...at, column: 6 } },
  ]);
  expect(draft.notes).toEqual(['so', 'and'].map((message) => ({ ...problem, severity: 'warning', message })));
});

test('names are made of labels, and are unique', () => {
  const taken = new Set<string>();
  const names = ['file://a b.md', 'a-b.md', '--é ü--', '  ', '日本', 'x'.repeat(70), `${'y'.repeat(59)}-z`].map(
    (label) => nameOf(label, taken, 'prompt'),
  );
  expect(names).toEqual(['a-b.md', 'a-b.md-2', 'e-u', 'prompt', 'prompt-2', 'x'.repeat(60), 'y'.repeat(59)]);
  expect([...taken]).toEqual(names);
});

test('the beginning of a text is quoted', () => {
  const long = 'word '.repeat(14);
  expect([quote('a'), quote('a\nb'), quote(' a'), quote(long), quote('x'.repeat(60)), quote('😀'.repeat(61))]).toEqual([
    'a',
    'a…',
    'a…',
    `${'word '.repeat(12).trim()}…`,
    'x'.repeat(60),
    `${'😀'.repeat(60)}…`,
  ]);
});

test('each value of a file has its place, and keeps it with another value', () => {
  const written = readWritten('config.yaml', 'a:\n  - one\n  - two: 1.0\nb: x\n');
  if ('problems' in written) throw new Error('it can be read');
  const places = (one: typeof written) => [one.value, one.at().line, one.at('key').line];
  expect(written.value).toEqual({ a: ['one', { two: 1 }], b: 'x' });
  const [, second] = written.child('a').items();
  expect(second === undefined ? [] : places(second.child('two'))).toEqual([1, 3, 3]);
  expect(places(written.child('a'))).toEqual([['one', { two: 1 }], 2, 1]);
  expect([written.child('none').value, written.child('b').items()]).toEqual([undefined, []]);
  const moved = withValue(written.child('a'), [{ deep: 'y' }]);
  expect([moved.value, moved.at('key').line, moved.items()[0]?.child('deep').value]).toEqual([[{ deep: 'y' }], 1, 'y']);
});

test('a file that can’t be read, and a number that no double keeps, are problems with their places', () => {
  const problemsOf = (text: string) => {
    const found = readWritten('config.yaml', text);
    return 'problems' in found ? found.problems.map((one) => [one.code, one.at?.line, one.hint !== undefined]) : [];
  };
  expect(problemsOf('x: 1\na: [1\nb: 2\n')[0]?.slice(0, 2)).toEqual(['syntax', 2]);
  expect(problemsOf('a: 1\nb: 12345678901234567890\nc: 12345678901234567890\n')).toEqual([
    ['invalid-value', 2, true],
    ['invalid-value', 3, true],
  ]);
  expect([isMap({}), isMap([]), isMap(null), isMap('x')]).toEqual([true, false, false, false]);
});
