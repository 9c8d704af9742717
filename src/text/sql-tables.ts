/**
 * Names of the tables that SQL statements touch, from what node-sql-parser gives: the list of all names it saw
 * (`select::schema::table`), of which those of WITH clauses are taken off where they really name the clause.
 */
export function findSqlTables(statements: readonly unknown[], tableList: readonly string[]): readonly string[] {
  const seen = new Set(tableList.map((entry) => nameOf(entry.split('::').slice(1))));
  for (const name of findUnlistedTables(statements)) seen.add(name);
  const { clauses, outside } = readWithClauses(statements);
  return [...seen].filter((name) => !clauses.has(name) || outside.has(name)).sort();
}

/** Kinds of statements in lower case, those within others too: a WITH clause may delete. */
export function findSqlKinds(statements: readonly unknown[]): readonly string[] {
  const kinds = new Set<string>();
  for (const statement of statements) if (isNode(statement)) kinds.add(String(statement['type']).toLowerCase());
  for (const { type, table } of visitNodes(statements)) {
    if (typeof type === 'string' && writers.has(type) && Array.isArray(table)) kinds.add(type);
  }
  return [...kinds];
}

const writers = new Set(['insert', 'replace', 'update', 'delete']);
const listed = new Set([...writers, 'select', 'truncate', 'use', 'show']);

/** The list leaves out what a SELECT INTO makes, and most statements that neither read nor write rows. */
function* findUnlistedTables(statements: readonly unknown[]): Iterable<string> {
  for (const statement of statements) {
    if (!isNode(statement) || listed.has(String(statement['type']).toLowerCase())) continue;
    if (typeof statement['table'] === 'string') yield statement['table'];
    for (const { db, schema, table, view, type, prefix, name } of visitNodes([statement], listed)) {
      const own = table ?? view;
      const isTable = typeof own === 'string' && db !== undefined && type !== 'column_ref';
      if (isTable) yield [db, schema, own].filter((part) => typeof part === 'string' && part !== '').join('.');
      // What a GRANT is on.
      if (typeof name === 'string' && prefix !== undefined && type === undefined)
        yield typeof prefix === 'string' && prefix !== '' ? `${prefix}.${name}` : name;
    }
  }
  for (const { into } of visitNodes(statements)) {
    if (isNode(into) && typeof into['expr'] === 'string' && !into['expr'].startsWith('@')) yield into['expr'];
  }
}

/** Every node, but for those of these types and what they hold. */
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
  /** Names that are used where no clause of that name is in reach: `WITH a AS (SELECT * FROM a)` reads a table a. */
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
      // A clause reaches those before it, and itself only under RECURSIVE.
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
