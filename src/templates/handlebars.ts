import { parse } from '@handlebars/parser';
import { defined } from '../json/defined.ts';
import { attempt } from '../text/attempt.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { handlebarsLanguage } from './languages.ts';
import { positionIn, refuseLongTemplate, TemplateError } from './template-error.ts';
import type { Expression, Named, PathExpression, TemplateTree, TreeNode } from './template-tree.ts';
import { describeLongLiteral, findLongLiteral, longLiteralHint } from './template-values.ts';

/** The used part of the parser's output. Its own types import a package that it does not install. */
interface Program {
  readonly body: readonly Statement[];
}

type Statement = Node;

const maxNestedBlocks = 50;
const blockNames = ['if', 'unless', 'each', 'with', 'ifEquals', 'unlessEquals'];
const helperNames = ['json', 'lookup', 'role', 'history', 'section', 'media'];

/** Parses the supported part of Handlebars. Throws a `TemplateError` with the place of anything else. */
export function parseHandlebars(source: string): TemplateTree {
  refuseTooLarge(source);
  const program = parseProgram(source);
  refuseLongLiterals(source);
  return { source, nodes: convertAll(program.body, createOffsets(source)) };
}

/** Refuses long numbers: the parser reads them as doubles and drops their text. */
function refuseLongLiterals(source: string): void {
  for (const { 0: code, index } of source.matchAll(/(?<!\\)\{\{(?!~?!)[^{}]*\}\}/g)) {
    // A text in brackets is a name.
    const found = findLongLiteral(code.replaceAll(/\[[^[\]]*\]/g, (name) => '_'.repeat(name.length)));
    if (found === undefined) continue;
    const at = positionIn(source, index + found.offset);
    throw new TemplateError(describeLongLiteral(found.text), { kind: 'syntax', hint: longLiteralHint, ...at });
  }
}

function refuseTooLarge(source: string): void {
  refuseLongTemplate(source);
  // Limit nesting, since blocks and parentheses are walked recursively.
  let depth = 0;
  for (const match of source.matchAll(/\{\{~?\s*([#/])/g)) {
    depth = match[1] === '/' ? Math.max(0, depth - 1) : depth + 1;
    if (depth > maxNestedBlocks) {
      const at = positionIn(source, match.index);
      throw new TemplateError(`blocks are nested deeper than ${maxNestedBlocks} levels`, { kind: 'limit', ...at });
    }
  }
  const nested = /\((?:\s*[\w.@-]+\s*\(){30}/.exec(source);
  if (nested !== null) {
    const at = positionIn(source, nested.index);
    throw new TemplateError('expressions are nested deeper than 30 levels', { kind: 'limit', ...at });
  }
}

function parseProgram(source: string): Program {
  const program = attempt(() => parse(source), Error);
  if (program instanceof Error) throw describeSyntax(source, program);
  return program;
}

/** Describes a syntax error. The parser's message names internal tokens; only its position is useful. */
function describeSyntax(source: string, error: Error): TemplateError {
  const mismatch = /^(\S+) doesn't match (\S+) - (\d+):(\d+)/.exec(error.message);
  if (mismatch !== null) {
    const [, opened = '', closed = '', line, column] = mismatch;
    const at = { line: Number(line), column: Number(column) + 1 };
    return new TemplateError(`{{#${opened}}} is closed by {{/${closed}}}`, { kind: 'syntax', ...at });
  }
  const [, line = '1', , pointer = ''] = /line (\d+):\n(.*)\n(-*)\^/.exec(error.message) ?? [];
  const shown = (error.message.split('\n')[1] ?? '').startsWith('...');
  const at = { line: Number(line), column: shown ? 1 : pointer.length + 1 };
  if (error.message.includes("got 'EOF'")) {
    const open = /\{\{~?#\s*([\w.-]+)/.exec(source)?.[1] ?? '';
    const message = open === '' ? 'the template ends too early' : `a block is never closed: {{/${open}}} is missing`;
    return new TemplateError(message, { kind: 'syntax', ...positionIn(source, source.length) });
  }
  const message = /^Parse error|^Lexical error/.test(error.message)
    ? 'the template is not Handlebars'
    : error.message.replace(/ - \d+:\d+$/, '');
  return new TemplateError(message, {
    kind: 'syntax',
    ...at,
    hint: 'write {{name}}, {{#if name}}…{{/if}} or {{helper value}}',
  });
}

function convertAll(statements: readonly Statement[], at: OffsetOf): readonly TreeNode[] {
  return statements.flatMap((statement) => convert(statement, at));
}

interface Place {
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
}

type OffsetOf = (place: Place) => number;

/** Converts the parser's positions to offsets: its lines start at 1, its columns at 0. */
function createOffsets(source: string): OffsetOf {
  const starts = [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return ({ loc }) => (starts[loc.start.line - 1] ?? 0) + loc.start.column;
}

function refuse(message: string, place: Place, hint?: string): TemplateError {
  const { line, column } = place.loc.start;
  return new TemplateError(message, {
    kind: 'syntax',
    line,
    column: column + 1,
    ...defined({ hint }),
  });
}

function convert(node: Statement, at: OffsetOf): readonly TreeNode[] {
  switch (node.type) {
    case 'ContentStatement':
      return [{ kind: 'text', text: (node as Content).value }];
    case 'CommentStatement':
      return [];
    case 'MustacheStatement':
      return [convertMustache(node as Mustache, at)];
    case 'BlockStatement':
      return [convertBlock(node as Block, at)];
    case 'PartialStatement':
      return [convertPartial(node as Partial, at)];
    default:
      throw refuse(
        'partial blocks and decorators are not part of these templates',
        node,
        'write {{> name}} with a file of its own',
      );
  }
}

interface Node extends Place {
  readonly type: string;
}

interface Content extends Node {
  readonly value: string;
}

interface Path extends Node {
  readonly data: boolean;
  readonly depth: number;
  readonly parts: readonly (string | object)[];
  readonly original: string;
}

interface Hash {
  readonly pairs: readonly { readonly key: string; readonly value: Node }[];
}

interface Mustache extends Node {
  readonly path: Node;
  readonly params: readonly Node[];
  readonly hash?: Hash;
}

interface Branches extends Node {
  readonly body: readonly Statement[];
  readonly blockParams?: readonly string[];
}

interface Block extends Mustache {
  readonly program?: Branches;
  readonly inverse?: Branches;
}

interface Partial extends Node {
  readonly name: Node;
  readonly params: readonly Node[];
  readonly hash?: Hash;
  readonly indent: string;
}

function convertMustache(node: Mustache, at: OffsetOf): TreeNode {
  const offset = at(node);
  const name = nameOf(node.path);
  switch (name) {
    case 'role':
    case 'section':
      return { kind: 'mark', mark: name, value: readOne(node, at), offset };
    case 'history':
      return { kind: 'mark', mark: name, offset };
    case 'media': {
      const { url, contentType } = Object.fromEntries(convertHash(node.hash, at));
      if (url === undefined) throw refuse('media needs its url', node, 'write {{media url=photo}}');
      return { kind: 'mark', mark: name, value: url, offset, ...defined({ contentType }) };
    }
    case undefined:
    default:
      return { kind: 'output', value: convertCall(node, at), offset };
  }
}

function readOne(node: Mustache, at: OffsetOf): Expression {
  const [first] = node.params;
  if (first === undefined) throw refuse(`${nameOf(node.path) ?? ''} needs a value`, node);
  return convertExpression(first, at);
}

/** Converts a call. A name alone is a variable, a name with arguments is a helper. */
function convertCall(node: Mustache, at: OffsetOf): Expression {
  const name = nameOf(node.path);
  const isHelper = name !== undefined && (helperNames.includes(name) || blockNames.includes(name));
  if (node.params.length === 0 && node.hash === undefined && !isHelper) return convertExpression(node.path, at);
  if (name === undefined || !Object.hasOwn(handlebarsLanguage.functions, name) || name === 'ifEquals') {
    const written = (node.path as Path).original;
    throw refuse(
      `there is no helper "${written}"`,
      node.path,
      didYouMean(written, helperNames) ??
        `known here: ${[...helperNames, ...blockNames.map((block) => `#${block}`)].join(', ')}`,
    );
  }
  if (node.params.length === 0) throw refuse(`${name} needs a value`, node);
  return {
    kind: 'call',
    name,
    args: node.params.map((param) => convertExpression(param, at)),
    named: convertHash(node.hash, at),
    offset: at(node),
  };
}

function convertHash(hash: Hash | undefined, at: OffsetOf): readonly Named[] {
  return (hash?.pairs ?? []).map(({ key, value }): Named => [key, convertExpression(value, at)]);
}

function convertBlock(node: Block, at: OffsetOf): TreeNode {
  const name = nameOf(node.path);
  const offset = at(node);
  const body = convertAll(node.program?.body ?? [], at);
  const otherwise = convertAll(node.inverse?.body ?? [], at);
  const [first, second] = node.params;
  const [item, key] = node.program?.blockParams ?? [];
  if (name === undefined || !blockNames.includes(name)) {
    const written = (node.path as Path).original;
    const helper = helperNames.includes(written) ? `write {{${written} …}}, which has no end` : undefined;
    throw refuse(
      `there is no block "${written}"`,
      node.path,
      helper ?? didYouMean(written, blockNames) ?? `write {{#if ${written}}} or {{#each ${written}}}`,
    );
  }
  if (first === undefined) throw refuse(`#${name} needs a value`, node);
  const value = convertExpression(first, at);
  switch (name) {
    case 'each':
      return {
        kind: 'each',
        list: value,
        entersItem: true,
        body,
        otherwise,
        offset,
        ...defined({ item, key }),
      };
    case 'with':
      return { kind: 'with', value, body, otherwise, offset, ...defined({ name: item }) };
    case 'if':
      return { kind: 'if', branches: [{ test: value, body }], otherwise };
    case 'unless':
      return { kind: 'if', branches: [{ test: value, body: otherwise }], otherwise: body };
    default: {
      if (second === undefined) throw refuse(`#${name} compares two values`, node);
      const args = [value, convertExpression(second, at)];
      const test: Expression = { kind: 'call', name: 'ifEquals', args, named: [], offset };
      const [then, not] = name === 'ifEquals' ? [body, otherwise] : [otherwise, body];
      return { kind: 'if', branches: [{ test, body: then }], otherwise: not };
    }
  }
}

function convertPartial(node: Partial, at: OffsetOf): TreeNode {
  if (node.name.type !== 'PathExpression') {
    throw refuse('the name of a partial must stand in the template', node, 'write {{> name}}');
  }
  const [context] = node.params;
  return {
    kind: 'partial',
    name: (node.name as Path).original,
    ...defined({ context: context === undefined ? undefined : convertExpression(context, at) }),
    named: convertHash(node.hash, at),
    indent: node.indent,
    offset: at(node),
  };
}

function convertExpression(node: Node, at: OffsetOf): Expression {
  switch (node.type) {
    case 'PathExpression':
      return convertPath(node as Path, at);
    case 'SubExpression':
      return convertCall(node as Mustache, at);
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
      return { kind: 'literal', value: (node as Node & { value: unknown }).value };
    case 'NullLiteral':
      return { kind: 'literal', value: null };
    case 'UndefinedLiteral':
      return { kind: 'literal', value: undefined };
    default:
      throw refuse('this is no value', node);
  }
}

function convertPath(node: Path, at: OffsetOf): PathExpression {
  const steps = node.parts.map((part) => {
    if (typeof part === 'string') return part;
    throw refuse('a path is made of plain names', node);
  });
  const isThis = /^(?:\.\.\/)*(?:this|\.)(?:[./]|$)/.test(node.original);
  return {
    kind: 'path',
    from: node.data ? 'data' : isThis ? 'this' : 'names',
    up: node.depth,
    steps,
    text: node.original,
    offset: at(node),
  };
}

function nameOf(node: Node): string | undefined {
  if (node.type !== 'PathExpression') return undefined;
  const { parts, data, depth, original } = node as Path;
  const [name] = parts;
  return parts.length === 1 && !data && depth === 0 && name === original && typeof name === 'string' ? name : undefined;
}
