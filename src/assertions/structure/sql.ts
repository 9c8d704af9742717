import * as z from 'zod';
import { installCommand } from '../../model/optional-packages.ts';
import { DeadlineError } from '../../text/deadline.ts';
import { quote } from '../../text/shorten.ts';
import { type AssertionPorts, type CheckOutcome, checkLimitMs, defineAssertion } from '../define.ts';
import { textOf } from '../targets.ts';

const packageName = 'node-sql-parser';

const dialects = [
  'postgresql',
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
] as const;

const listParam = z.array(z.string().min(1)).min(1, { error: 'needs at least one name' });

/** Parsed by node-sql-parser, which the project installs; no database is asked. */
export const sql = defineAssertion({
  summary: 'the whole text is SQL of a dialect, with allowed kinds of statements, on allowed tables',
  family: 'structure',
  example: 'sql: { dialect: postgresql, tables: [orders, customers], statements: [select] }',
  failsOn: { text: 'DELETE FROM users' },
  definition: 'the grammars of node-sql-parser 5',
  main: 'value',
  needsPackage: packageName,
  params: z
    .strictObject({
      value: z.boolean().default(true).describe('False: the text must not be SQL.'),
      dialect: z.enum(dialects).default('postgresql').describe('The SQL dialect.'),
      tables: listParam
        .optional()
        .describe('Tables that may be read or written, by the name as written (public.orders is not orders).'),
      statements: listParam
        .optional()
        .describe('Kinds of statements that pass: select, insert, update, delete, create, drop and so on.'),
    })
    .refine(({ value, tables, statements }) => value || (tables ?? statements) === undefined, {
      error: 'value: false takes neither tables nor statements',
    }),
  async check(target, { value, dialect, tables, statements }, { ports }): Promise<CheckOutcome> {
    const text = textOf(target).trim();
    const parsed = await parseSql(text, dialect, ports);
    if ('error' in parsed) return parsed;
    if ('fault' in parsed) {
      const fence = text.includes('```') ? '; a fenced code block is selected by {codeBlock: sql}' : '';
      return { pass: !value, reason: `is not ${dialect} SQL, ${parsed.fault}${fence}: found ${quote(text)}` };
    }
    const faults = [
      describeForbidden('statement', parsed.kinds, statements),
      describeForbidden('table', parsed.tables, tables),
    ].filter((fault) => fault !== undefined);
    const found = `found ${quote(text)}`;
    if (faults.length > 0) return { pass: false, reason: `${faults.join('; ')}: ${found}` };
    const touched = parsed.tables.length === 0 ? 'no table' : parsed.tables.slice(0, 8).join(', ');
    return { pass: value, reason: `is ${dialect} SQL (${parsed.kinds.join(', ')}) on ${touched}: ${found}` };
  },
});

function describeForbidden(
  noun: string,
  found: readonly string[],
  allowed: readonly string[] | undefined,
): string | undefined {
  if (allowed === undefined) return undefined;
  const known = new Set(allowed.map((name) => name.toLowerCase()));
  const forbidden = found.filter((name) => !known.has(name.toLowerCase())).map((name) => quote(name, 60));
  if (forbidden.length === 0) return undefined;
  return `uses the ${noun} ${forbidden.slice(0, 8).join(', ')}, allowed: ${allowed.join(', ').slice(0, 200)}`;
}

interface ParsedSql {
  /** Kinds of the statements, each once, in lower case. */
  readonly kinds: readonly string[];
  readonly tables: readonly string[];
}

/** The part of the package that is used. */
interface SqlParser {
  parse(text: string): { readonly ast: unknown; readonly tableList: readonly string[] };
}

async function parseSql(
  text: string,
  dialect: string,
  { importPackage, deadline }: AssertionPorts,
): Promise<ParsedSql | { readonly fault: string } | { readonly error: string }> {
  const parser = await openParser(dialect, importPackage);
  if (parser === undefined) return { error: `sql needs the package ${packageName}: ${installCommand([packageName])}` };
  try {
    const { ast, tableList } = deadline(() => parser.parse(text), checkLimitMs);
    const statements = (Array.isArray(ast) ? ast : [ast]).filter((node) => typeof node === 'object' && node !== null);
    if (statements.length === 0) return { fault: 'it holds no statement' };
    return { kinds: findSqlKinds(statements), tables: findSqlTables(statements, tableList) };
  } catch (error) {
    if (error instanceof RangeError) return { error: 'the SQL is nested too deep to be parsed' };
    if (error instanceof DeadlineError || !(error instanceof Error)) throw error;
    const fault = describeFault(error);
    // A parser that fails on an answer decides nothing about it, and must not end the run.
    return fault === undefined ? { error: `the parser failed on the SQL: ${error.message}` } : { fault };
  }
}

async function openParser(
  dialect: string,
  importPackage: AssertionPorts['importPackage'],
): Promise<SqlParser | undefined> {
  const loaded = await importPackage?.(`${packageName}/build/${dialect}.js`);
  // CommonJS: its exports are the default export.
  const exported: unknown = Reflect.get(Object(loaded), 'default') ?? loaded;
  const Parser: unknown = Reflect.get(Object(exported), 'Parser');
  return typeof Parser === 'function' ? (Reflect.construct(Parser, []) as SqlParser) : undefined;
}

/**
 * Describes a syntax error; undefined for any other error. The parser's own message lists hundreds of possible tokens.
 */
function describeFault(error: Error): string | undefined {
  // Some rules of its grammars throw a plain error with a sentence of their own.
  if (error.constructor === Error && error.name === 'Error') return error.message;
  if (error.name !== 'SyntaxError') return undefined;
  const start: unknown = Reflect.get(Object(Reflect.get(error, 'location')), 'start');
  const line: unknown = Reflect.get(Object(start), 'line');
  const column: unknown = Reflect.get(Object(start), 'column');
  const found = /but (.{1,40}) found\.$/.exec(error.message)?.[1] ?? 'text';
  return `line ${Number(line)}:${Number(column)}: unexpected ${found}`;
}

/**
 * Names the tables that SQL statements use. node-sql-parser lists all names that it saw (`select::schema::table`). A
 * WITH clause's name is removed if it really refers to the clause.
 */
function findSqlTables(statements: readonly unknown[], tableList: readonly string[]): readonly string[] {
  const seen = new Set(tableList.map((entry) => nameOf(entry.split('::').slice(1))));
  for (const name of findUnlistedTables(statements)) seen.add(name);
  const { clauses, outside } = readWithClauses(statements);
  return [...seen].filter((name) => !clauses.has(name) || outside.has(name)).sort();
}

/** Kinds of statements in lower case, including nested ones: a WITH clause may delete. */
function findSqlKinds(statements: readonly unknown[]): readonly string[] {
  const kinds = new Set<string>();
  for (const statement of statements) if (isNode(statement)) kinds.add(String(statement['type']).toLowerCase());
  for (const { type, table } of visitNodes(statements)) {
    if (typeof type === 'string' && writers.has(type) && Array.isArray(table)) kinds.add(type);
  }
  return [...kinds];
}

const writers = new Set(['insert', 'replace', 'update', 'delete']);
const listed = new Set([...writers, 'select', 'truncate', 'use', 'show']);

/**
 * Finds tables that the parser's list omits: targets of SELECT INTO, and most statements that neither read nor write
 * rows.
 */
function* findUnlistedTables(statements: readonly unknown[]): Iterable<string> {
  for (const statement of statements) {
    if (!isNode(statement) || listed.has(String(statement['type']).toLowerCase())) continue;
    if (typeof statement['table'] === 'string') yield statement['table'];
    for (const { db, schema, table, view, type, prefix, name } of visitNodes([statement], listed)) {
      const own = table ?? view;
      const isTable = typeof own === 'string' && db !== undefined && type !== 'column_ref';
      if (isTable) yield [db, schema, own].filter((part) => typeof part === 'string' && part !== '').join('.');
      // The object of a GRANT.
      if (typeof name === 'string' && prefix !== undefined && type === undefined)
        yield typeof prefix === 'string' && prefix !== '' ? `${prefix}.${name}` : name;
    }
  }
  for (const { into } of visitNodes(statements)) {
    if (isNode(into) && typeof into['expr'] === 'string' && !into['expr'].startsWith('@')) yield into['expr'];
  }
}

/** Every node, without nodes of these types and their children. */
function* visitNodes(roots: readonly unknown[], without: ReadonlySet<string> = new Set()): Iterable<Node> {
  const pending: unknown[] = [...roots];
  for (let node = pending.pop(); pending.length > 0 || node !== undefined; node = pending.pop()) {
    if (!isNode(node) || (typeof node['type'] === 'string' && without.has(node['type']))) continue;
    yield node;
    for (const child of Object.values(node)) if (isNode(child)) pending.push(child);
  }
}

function nameOf([schema = 'null', table = '']: readonly string[]): string {
  return schema === 'null' || schema === '' ? table : `${schema}.${table}`;
}

interface Node {
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

interface WithClauses {
  readonly clauses: ReadonlySet<string>;
  /** Names used outside the scope of a clause with that name: `WITH a AS (SELECT * FROM a)` reads a table a. */
  readonly outside: ReadonlySet<string>;
}

function readWithClauses(statements: readonly unknown[]): WithClauses {
  const clauses = new Set<string>();
  const outside = new Set<string>();
  const pending: { readonly node: unknown; readonly inReach: ReadonlySet<string> }[] = [];
  for (const node of statements) pending.push({ node, inReach: new Set() });
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, inReach } = next;
    if (!isNode(node)) continue;
    const { with: list, ...rest } = node;
    const own = Array.isArray(list) ? list.filter(isNode) : [];
    const names = new Set(inReach);
    const isRecursive = own.some((clause) => clause['recursive'] === true);
    if (isRecursive) for (const clause of own) names.add(clauseName(clause));
    for (const clause of own) {
      // A clause can refer to earlier clauses, and to itself only with RECURSIVE.
      pending.push({ node: clause['stmt'], inReach: new Set(names) });
      names.add(clauseName(clause));
      clauses.add(clauseName(clause));
    }
    const { table, db } = node;
    const isTable = typeof table === 'string' && 'db' in node && node['type'] !== 'column_ref';
    if (isTable && (db === null || db === undefined || db === '') && !names.has(table)) outside.add(table);
    for (const child of Object.values(rest)) if (isNode(child)) pending.push({ node: child, inReach: names });
  }
  return { clauses, outside };
}

function clauseName({ name }: Node): string {
  if (typeof name === 'string') return name;
  return isNode(name) && typeof name['value'] === 'string' ? name['value'] : '';
}
