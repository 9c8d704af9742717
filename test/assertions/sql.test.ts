import { describe, expect, test } from 'vitest';
import { judgeChecks } from '../../src/assertions/judge-checks.ts';
import { buildSpec, buildView, describeAssertion, findProblems, judgeOne, ports } from './judge-one.ts';

describeAssertion('sql', [
  {
    when: 'it is a statement',
    params: {},
    answer: 'SELECT a FROM orders WHERE b = 1;',
    is: 'pass',
    reason: /^is postgresql SQL \(select\) on orders/,
  },
  {
    when: 'it is prose',
    params: {},
    answer: 'Here is your query.',
    is: 'fail',
    reason: /^is not postgresql SQL, line 1:/,
  },
  { when: 'it is broken', params: {}, answer: 'SELECT a\nFRM b', is: 'fail', reason: /line 2:\d+: unexpected "b"/ },
  { when: 'it is empty', params: {}, answer: '', is: 'fail', reason: /holds no statement/ },
  { when: 'it is a comment', params: {}, answer: '-- nothing', is: 'fail', reason: /holds no statement/ },
  {
    when: 'it stands in a fence',
    params: {},
    answer: '```sql\nSELECT 1\n```',
    is: 'fail',
    reason: /is selected by \{codeBlock: sql\}/,
  },
  {
    when: 'its block is selected',
    params: {},
    select: { kind: 'codeBlock', language: 'sql' },
    answer: '```sql\nSELECT 1\n```',
    is: 'pass',
  },
  { when: 'no SQL is wanted', params: { value: false }, answer: 'No.', is: 'pass' },
  { when: 'no SQL is wanted but it is some', params: { value: false }, answer: 'SELECT 1', is: 'fail' },
  {
    when: 'the dialect knows the quotes',
    params: { dialect: 'bigquery' },
    answer: 'SELECT * FROM `p.d.t`',
    is: 'pass',
  },
  { when: 'it is of another dialect', params: {}, answer: 'SELECT TOP 5 a FROM b', is: 'fail' },
  { when: 'the dialect has it', params: { dialect: 'transactsql' }, answer: 'SELECT TOP 5 a FROM b', is: 'pass' },
  { when: 'the statements are allowed', params: { statements: ['SELECT'] }, answer: 'SELECT 1; SELECT 2', is: 'pass' },
  {
    when: 'one statement is not allowed',
    params: { statements: ['select'] },
    answer: 'SELECT 1; DROP TABLE users',
    is: 'fail',
    reason: /^uses the statement "drop", allowed: select/,
  },
  {
    when: 'it is nested too deep',
    params: {},
    answer: `SELECT ${'('.repeat(100_000)}`,
    is: 'error',
    reason: /nested too deep/,
  },
  {
    when: 'it takes too long',
    params: {},
    answer: `SELECT ${'a,'.repeat(300_000)}`,
    is: 'error',
    reason: /took longer than 500 ms/,
    isEndless: true,
  },
]);

describeAssertion('sql', [
  {
    when: 'a rule of the grammar throws an error of its own',
    params: { dialect: 'postgresql' },
    answer: '"A "',
    is: 'fail',
    reason: /double quoted not match/,
  },
]);

describeAssertion('sql', [
  {
    when: 'a WITH clause deletes',
    params: { statements: ['select'] },
    answer: 'WITH gone AS (DELETE FROM orders WHERE a = 1 RETURNING b) SELECT * FROM gone',
    is: 'fail',
    reason: /^uses the statement "delete", allowed: select/,
  },
  ...[
    'ALTER TABLE users ADD a int',
    'CREATE INDEX i ON users (a)',
    'CREATE VIEW users AS SELECT * FROM orders',
    'GRANT SELECT ON users TO bob',
    'COMMENT ON TABLE users IS NULL',
    'DROP VIEW users',
    'TRUNCATE users',
    'SELECT * INTO users FROM orders',
  ].map((answer) => ({
    when: `it touches a table that is not allowed: ${answer}`,
    params: { tables: ['orders'] },
    answer,
    is: 'fail' as const,
    reason: /^uses the table "users"/,
  })),
  {
    when: 'it alters an allowed table',
    params: { tables: ['s.orders'] },
    answer: 'ALTER TABLE s.orders ADD a int',
    is: 'pass',
  },
  {
    when: 'it reads into a variable',
    params: { tables: ['orders'], dialect: 'mysql' },
    answer: 'SELECT a INTO @x FROM orders',
    is: 'pass',
  },
]);

const allowed = { tables: ['orders', 'public.users'] };

describeAssertion('sql', [
  {
    when: 'its tables are allowed',
    params: allowed,
    answer: 'SELECT * FROM ORDERS o JOIN public.users u ON true',
    is: 'pass',
  },
  { when: 'it has no table', params: allowed, answer: 'SELECT 1', is: 'pass' },
  {
    when: 'the schema is another',
    params: allowed,
    answer: 'SELECT * FROM users',
    is: 'fail',
    reason: /^uses the table "users", allowed: orders, public\.users/,
  },
  {
    when: 'a subquery reads another',
    params: allowed,
    answer: 'SELECT 1 FROM orders WHERE a IN (SELECT b FROM secrets)',
    is: 'fail',
  },
  { when: 'it writes another', params: allowed, answer: 'INSERT INTO secrets SELECT * FROM orders', is: 'fail' },
  { when: 'a later statement reads another', params: allowed, answer: 'SELECT 1; SELECT * FROM secrets', is: 'fail' },
  {
    when: 'a WITH clause is no table',
    params: allowed,
    answer: 'WITH a AS (SELECT * FROM orders), b AS (SELECT * FROM a) SELECT * FROM b',
    is: 'pass',
  },
  {
    when: 'a WITH clause has the name of the table that it reads',
    params: allowed,
    answer: 'WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets',
    is: 'fail',
    reason: /uses the table "secrets"/,
  },
  {
    when: 'a recursive clause reads itself',
    params: allowed,
    answer: 'WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT * FROM r, orders',
    is: 'pass',
  },
  {
    when: 'a clause is out of reach',
    params: allowed,
    answer: 'SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c) q, c',
    is: 'fail',
    reason: /uses the table "c"/,
  },
]);

describe('sql', () => {
  test.each([
    'mysql',
    'mariadb',
    'sqlite',
    'transactsql',
    'bigquery',
    'snowflake',
    'redshift',
    'trino',
    'athena',
    'hive',
    'flinksql',
    'db2',
  ])('reads %s', async (dialect) => {
    const spec = buildSpec('sql', { dialect, tables: ['a'] });
    expect((await judgeOne(spec, 'SELECT b FROM a')).pass).toBe(true);
    expect((await judgeOne(spec, 'SELECT b FROM c')).reason).toMatch(/^uses the table "c"/);
  });

  test('is an error where the package is not installed', async () => {
    const none = { ...ports, importPackage: () => Promise.resolve(undefined) };
    const [verdict] = await judgeChecks([buildSpec('sql', {})], buildView('SELECT 1'), none);
    expect(verdict?.error).toBe('sql needs the package node-sql-parser: npm install --save-dev node-sql-parser@5');
  });

  test.each([
    [{ dialect: 'oracle' }, /^dialect: /],
    [{ tables: [] }, /^tables: needs at least one name/],
    [{ value: false, tables: ['a'] }, /takes neither tables nor statements/],
  ])('refuses %j', (params, problem) => {
    expect(findProblems('sql', params).join('\n')).toMatch(problem);
  });
});
