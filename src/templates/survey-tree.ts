import type { Expression, MarkNode, PathExpression, TemplateTree, TreeNode } from './template-tree.ts';
import { rootOf } from './template-values.ts';

/** The variables, partials and marks of a template, as far as its text shows. */
export interface TreeSurvey {
  /** Paths read, such as `email`, `order.id` or `docs[0].title`. */
  readonly variables: readonly string[];
  /** Variables whose absence the template handles. */
  readonly guarded: readonly string[];
  /** Names of all partials, including nested ones. */
  readonly partials: readonly string[];
  /** All marks, in order. */
  readonly marks: readonly MarkNode[];
}

interface Reach {
  /** Number of scopes between plain names and the variables. */
  readonly depth: number;
  readonly bound: ReadonlySet<string>;
  readonly guarded: boolean;
}

/** Surveys a tree and its partials. */
export function surveyTree(tree: TemplateTree, partials: Readonly<Record<string, TemplateTree>> = {}): TreeSurvey {
  const surveyor = new Surveyor(partials);
  surveyor.walk(tree.nodes, { depth: 0, bound: new Set(), guarded: false });
  const { variables, guarded, named, marks } = surveyor;
  return { variables: [...variables], guarded: [...guarded], partials: [...named], marks };
}

class Surveyor {
  readonly variables = new Set<string>();
  readonly guarded = new Set<string>();
  /** Names of partials. */
  readonly named = new Set<string>();
  readonly marks: MarkNode[] = [];
  readonly #partials: Readonly<Record<string, TemplateTree>>;
  /** Smallest depth at which each partial was walked. A deeper walk finds no further variables. */
  readonly #depths = new Map<string, number>();

  constructor(partials: Readonly<Record<string, TemplateTree>>) {
    this.#partials = partials;
  }

  walk(nodes: readonly TreeNode[], reach: Reach): void {
    for (const node of nodes) this.#visit(node, reach);
  }

  #visit(node: TreeNode, reach: Reach): void {
    switch (node.kind) {
      case 'text':
        break;
      case 'output':
        this.#read(node.value, reach);
        break;
      case 'if':
        for (const { test, body } of node.branches) {
          this.#read(test, { ...reach, guarded: true });
          this.walk(body, reach);
        }
        this.walk(node.otherwise, reach);
        break;
      case 'each':
        this.#read(node.list, reach);
        this.walk(
          node.body,
          enter(reach, node.entersItem, [node.item, node.key, node.entersItem ? undefined : 'loop']),
        );
        this.walk(node.otherwise, reach);
        break;
      case 'with':
        this.#read(node.value, { ...reach, guarded: true });
        this.walk(node.body, enter(reach, true, [node.name]));
        this.walk(node.otherwise, reach);
        break;
      case 'partial':
        this.#visitPartial(node, reach);
        break;
      case 'mark':
        this.marks.push(node);
        if (node.value !== undefined) this.#read(node.value, reach);
    }
  }

  #visitPartial(node: TreeNode & { readonly kind: 'partial' }, reach: Reach): void {
    if (node.context !== undefined) this.#read(node.context, reach);
    for (const [, value] of node.named) this.#read(value, reach);
    const partial = Object.hasOwn(this.#partials, node.name) ? this.#partials[node.name] : undefined;
    this.named.add(node.name);
    const names = node.named.map(([name]) => name);
    const key = [node.name, ...names].join(' ');
    const depth = reach.depth + Number(node.context !== undefined);
    if (partial === undefined || (this.#depths.get(key) ?? Infinity) <= depth) return;
    this.#depths.set(key, depth);
    this.walk(partial.nodes, { depth, bound: new Set(names), guarded: false });
  }

  #read(expression: Expression, reach: Reach): void {
    switch (expression.kind) {
      case 'literal':
        break;
      case 'path': {
        for (const step of expression.steps) if (typeof step === 'object') this.#read(step, reach);
        const path = variablePath(expression, reach);
        if (path === undefined) break;
        this.variables.add(path);
        if (reach.guarded) this.guarded.add(rootOf(path));
        break;
      }
      case 'call':
        for (const [index, arg] of expression.args.entries()) {
          this.#read(arg, index === 0 && expression.name === 'default' ? { ...reach, guarded: true } : reach);
        }
        for (const [, value] of expression.named) this.#read(value, reach);
        break;
      case 'test':
        for (const operand of expression.operands) this.#read(operand, reach);
    }
  }
}

function enter(reach: Reach, entersValue: boolean, names: readonly (string | undefined)[]): Reach {
  const bound = new Set([...reach.bound, ...names.filter((name) => name !== undefined)]);
  return { ...reach, depth: reach.depth + Number(entersValue), bound };
}

const loopData = new Set(['index', 'key', 'first', 'last', 'length']);

/** Path from the variables; undefined for names that a loop or `with` defines. */
function variablePath({ from, up, steps }: PathExpression, { depth, bound }: Reach): string | undefined {
  const [first, ...rest] = steps;
  if (first === undefined || typeof first === 'object') return undefined;
  if (from === 'data') {
    if (first === 'root') return rest.length === 0 ? undefined : writePath(rest);
    return loopData.has(String(first)) ? undefined : `@${writePath(steps)}`;
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
