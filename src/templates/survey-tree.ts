import type { Expression, PathExpression, TemplateTree, TreeNode } from './template-tree.ts';
import { rootOf } from './template-values.ts';

/** What a template wants of its variables, as far as its text tells. */
export interface TreeSurvey {
  /** The paths that it reads, such as `email`, `order.id` or `docs[0].title`. */
  readonly variables: readonly string[];
  /** Names of those whose absence the template itself provides for. */
  readonly guarded: readonly string[];
  /** Names of partials, its own and theirs. */
  readonly partials: readonly string[];
  /** All marks, in order. */
  readonly marks: readonly (TreeNode & { readonly kind: 'mark' })[];
}

interface Reach {
  /** How many values further in than the variables plain names are looked up. */
  readonly depth: number;
  readonly bound: ReadonlySet<string>;
  readonly guarded: boolean;
}

/** Walks a tree, and the partials it names, each once. */
export function surveyTree(tree: TemplateTree, partials: Readonly<Record<string, TemplateTree>> = {}): TreeSurvey {
  const variables = new Set<string>();
  const guarded = new Set<string>();
  const named = new Set<string>();
  const marks: (TreeNode & { readonly kind: 'mark' })[] = [];

  function walk(nodes: readonly TreeNode[], reach: Reach): void {
    for (const node of nodes) visit(node, reach);
  }

  function visit(node: TreeNode, reach: Reach): void {
    switch (node.kind) {
      case 'text':
        break;
      case 'output':
        read(node.value, reach);
        break;
      case 'if':
        for (const { test, body } of node.branches) {
          read(test, { ...reach, guarded: true });
          walk(body, reach);
        }
        walk(node.otherwise, reach);
        break;
      case 'each': {
        read(node.list, reach);
        const bound = [node.item, node.key, ...(node.entersItem ? [] : ['loop'])].filter((name) => name !== undefined);
        walk(node.body, {
          ...reach,
          depth: reach.depth + Number(node.entersItem),
          bound: new Set([...reach.bound, ...bound]),
        });
        walk(node.otherwise, reach);
        break;
      }
      case 'with':
        read(node.value, { ...reach, guarded: true });
        walk(node.body, {
          ...reach,
          depth: reach.depth + 1,
          bound: new Set([...reach.bound, ...(node.name === undefined ? [] : [node.name])]),
        });
        walk(node.otherwise, reach);
        break;
      case 'partial': {
        if (node.context !== undefined) read(node.context, reach);
        for (const [, value] of node.named) read(value, reach);
        const partial = Object.hasOwn(partials, node.name) ? partials[node.name] : undefined;
        const seen = named.has(node.name);
        named.add(node.name);
        if (partial === undefined || seen) break;
        walk(partial.nodes, {
          depth: reach.depth + Number(node.context !== undefined),
          bound: new Set(node.named.map(([name]) => name)),
          guarded: false,
        });
        break;
      }
      case 'mark':
        marks.push(node);
        if (node.value !== undefined) read(node.value, reach);
    }
  }

  function read(expression: Expression, reach: Reach): void {
    switch (expression.kind) {
      case 'literal':
        break;
      case 'path': {
        for (const step of expression.steps) if (typeof step === 'object') read(step, reach);
        const path = variablePath(expression, reach);
        if (path === undefined) break;
        variables.add(path);
        if (reach.guarded) guarded.add(rootOf(path));
        break;
      }
      case 'call':
        for (const [index, arg] of expression.args.entries()) {
          read(arg, index === 0 && expression.name === 'default' ? { ...reach, guarded: true } : reach);
        }
        for (const [, value] of expression.named) read(value, reach);
        break;
      case 'test':
        for (const operand of expression.operands) read(operand, reach);
    }
  }

  walk(tree.nodes, { depth: 0, bound: new Set(), guarded: false });
  return { variables: [...variables], guarded: [...guarded], partials: [...named], marks };
}

const LOOP_DATA = new Set(['index', 'key', 'first', 'last', 'length']);

/** The path from the variables; undefined for what a loop or a `with` brings. */
function variablePath({ from, up, steps }: PathExpression, { depth, bound }: Reach): string | undefined {
  const [first, ...rest] = steps;
  if (first === undefined || typeof first === 'object') return undefined;
  if (from === 'data') {
    if (first === 'root') return rest.length === 0 ? undefined : writePath(rest);
    return LOOP_DATA.has(String(first)) ? undefined : `@${writePath(steps)}`;
  }
  if (from === 'names' && up === 0 && bound.has(String(first))) return undefined;
  return depth - up > 0 ? undefined : writePath(steps);
}

function writePath(steps: PathExpression['steps']): string {
  let path = '';
  for (const step of steps) {
    if (typeof step === 'object') break;
    if (typeof step === 'number' || /^\d+$/.test(step)) path += `[${step}]`;
    else path += path === '' ? step : `.${step}`;
  }
  return path;
}
