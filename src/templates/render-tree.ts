import { defined } from '../json/defined.ts';
import { SpelledNumber } from '../text/exact-numbers.ts';
import { joinErrors, positionIn, TemplateError, type TemplateErrorDetails } from './template-error.ts';
import {
  type EachNode,
  type Expression,
  indentPieces,
  type Named,
  type PathExpression,
  type Piece,
  type TemplateTree,
  type TestOperator,
  type TreeFunction,
  type TreeLanguage,
  type TreeNode,
} from './template-tree.ts';
import { compareValues, describeKind, isMap, listEntries, plainText, readOwn } from './template-values.ts';

export interface RenderOptions {
  readonly language: TreeLanguage;
  readonly partials?: Readonly<Record<string, TemplateTree>>;
  /** True for a variable that may be missing; it is then empty. */
  readonly isOptional: (name: string) => boolean;
}

// A prompt is a text that a model reads; what needs more than this is no prompt.
const MAX_STEPS = 500_000;
const MAX_LENGTH = 5_000_000;
const MAX_DEPTH = 100;

interface Frame {
  readonly value: unknown;
  readonly names: ReadonlyMap<string, unknown>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly outer?: Frame;
}

/**
 * Renders a tree with variables that are data: what they hold is never read as a template.
 * Where a variable is missing, the error carries every other one that is missing too.
 */
export function renderTree(
  tree: TemplateTree,
  vars: Readonly<Record<string, unknown>>,
  options: RenderOptions,
): readonly Piece[] {
  try {
    return new Renderer(tree, vars, options).render();
  } catch (error) {
    if (!(error instanceof TemplateError) || error.kind !== 'missing-variable') throw error;
    throw joinErrors(error, findMissing(tree, vars, options));
  }
}

function findMissing(
  tree: TemplateTree,
  vars: Readonly<Record<string, unknown>>,
  options: RenderOptions,
): readonly TemplateError[] {
  const found: TemplateError[] = [];
  try {
    new Renderer(tree, vars, options, (error) => found.push(error)).render();
  } catch (error) {
    // After an empty variable that needs a value, nothing more can be found.
    if (!(error instanceof TemplateError)) throw error;
  }
  return found;
}

class Renderer {
  readonly #root: Readonly<Record<string, unknown>>;
  /** What the program around a prompt knows, such as `@state`, comes as a variable of that name. */
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #options: RenderOptions;
  /** Receives the error of a missing variable, which is then empty; without it the error is thrown. */
  readonly #onMissing: ((error: TemplateError) => void) | undefined;
  #tree: TemplateTree;
  #pieces: Piece[] = [];
  #steps = 0;
  #length = 0;
  #depth = 0;

  constructor(
    tree: TemplateTree,
    vars: Readonly<Record<string, unknown>>,
    options: RenderOptions,
    onMissing?: (error: TemplateError) => void,
  ) {
    this.#tree = tree;
    this.#root = vars;
    const given = Object.entries(vars).filter(([key]) => key.startsWith('@'));
    this.#given = Object.fromEntries(given.map(([key, value]) => [key.slice(1), value]));
    this.#options = options;
    this.#onMissing = onMissing;
  }

  render(): readonly Piece[] {
    this.#nodes(this.#tree.nodes, { value: this.#root, names: new Map(), data: {} });
    return this.#pieces;
  }

  #nodes(nodes: readonly TreeNode[], frame: Frame): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#limit(`it is nested deeper than ${MAX_DEPTH} levels`, 0);
    for (const node of nodes) this.#node(node, frame);
    this.#depth -= 1;
  }

  #node(node: TreeNode, frame: Frame): void {
    switch (node.kind) {
      case 'text':
        this.#text(node.text, 0);
        break;
      case 'output':
        this.#count(node.offset);
        this.#text(this.#print(node.value, frame, node.offset), node.offset);
        break;
      case 'if': {
        const branch = node.branches.find(({ test }) => this.#isTrue(this.#evaluate(test, frame, true)));
        this.#nodes(branch?.body ?? node.otherwise, frame);
        break;
      }
      case 'each':
        this.#each(node, frame);
        break;
      case 'with': {
        const value = this.#evaluate(node.value, frame, true);
        if (!this.#isTrue(value)) this.#nodes(node.otherwise, frame);
        else {
          const names = node.name === undefined ? frame.names : new Map([...frame.names, [node.name, value]]);
          this.#nodes(node.body, { value, names, data: frame.data, outer: frame });
        }
        break;
      }
      case 'partial':
        this.#partial(node, frame);
        break;
      case 'mark': {
        this.#count(node.offset);
        const { mark, offset } = node;
        if (mark === 'history') this.#pieces.push({ kind: mark, value: '', offset });
        else {
          const value = node.value === undefined ? '' : this.#print(node.value, frame, offset);
          const type = node.contentType === undefined ? undefined : this.#print(node.contentType, frame, offset);
          this.#pieces.push({ kind: mark, value, offset, ...defined({ contentType: type }) });
        }
      }
    }
  }

  #each(node: EachNode, frame: Frame): void {
    const value = this.#evaluate(node.list, frame, false);
    const entries = listEntries(value, node.entersItem);
    if (entries === undefined) {
      const path = describePath(node.list);
      throw this.#error(`"${path}" is ${describeKind(value)}, which is not a list`, node.offset, {
        kind: 'not-text',
        variable: path,
      });
    }
    if (entries.length === 0) this.#nodes(node.otherwise, frame);
    for (const [index, [key, item]] of entries.entries()) {
      this.#count(node.offset);
      const loop = {
        index,
        key,
        first: index === 0,
        last: index === entries.length - 1,
        length: entries.length,
      };
      const names = new Map(frame.names);
      if (node.item !== undefined) names.set(node.item, item);
      if (node.key !== undefined) names.set(node.key, key);
      if (node.entersItem) this.#nodes(node.body, { value: item, names, data: loop, outer: frame });
      else {
        names.set('loop', { ...loop, index: index + 1, index0: index });
        this.#nodes(node.body, { value: frame.value, names, data: frame.data, outer: frame });
      }
    }
  }

  #partial(node: TreeNode & { readonly kind: 'partial' }, frame: Frame): void {
    this.#count(node.offset);
    const { partials = {} } = this.#options;
    const partial = Object.hasOwn(partials, node.name) ? partials[node.name] : undefined;
    if (partial === undefined) {
      throw this.#error(`there is no partial "${node.name}"`, node.offset, { kind: 'syntax' });
    }
    const context = node.context === undefined ? frame.value : this.#evaluate(node.context, frame, false);
    const named = this.#named(node.named, frame);
    const value = node.named.length === 0 ? context : { ...(isMap(context) ? context : {}), ...named };
    const [caller, before] = [this.#tree, this.#pieces];
    this.#tree = partial;
    this.#pieces = [];
    try {
      this.#nodes(partial.nodes, { value, names: new Map(), data: frame.data, outer: frame });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.#tree = caller;
      const place = error.line === undefined ? '' : ` (its line ${error.line}, column ${error.column ?? 1})`;
      throw this.#error(`in the partial "${node.name}"${place}: ${error.message}`, node.offset, detailsOf(error));
    }
    this.#tree = caller;
    // Its marks stand in another text; in this one, where it is named.
    const made = this.#pieces.map((piece) => (piece.kind === 'text' ? piece : { ...piece, offset: node.offset }));
    this.#pieces = before;
    for (const piece of node.indent === '' ? made : indentPieces(made, node.indent)) before.push(piece);
  }

  #print(value: Expression, frame: Frame, offset: number): string {
    const found = this.#evaluate(value, frame, false);
    const text = plainText(found) ?? this.#options.language.print?.(found);
    if (text !== undefined) return text;
    const path = describePath(value);
    if (found === undefined || (found === null && this.#mayBeNull(value))) return '';
    throw this.#error(
      `"${path}" is ${describeKind(found)}, which ${found === null ? 'has no text' : 'has no text of its own'}`,
      offset,
      { kind: 'not-text', variable: path, hint: this.#options.language.textHint(path, found) },
    );
  }

  #mayBeNull(value: Expression): boolean {
    return value.kind !== 'path' || (value.from === 'names' && this.#options.isOptional(nameOf(value.steps[0])));
  }

  #evaluate(expression: Expression, frame: Frame, lenient: boolean): unknown {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'path':
        return this.#path(expression, frame, lenient);
      case 'call':
        return this.#call(expression, frame, lenient);
      case 'test':
        return this.#test(expression.operator, expression.operands, frame, lenient);
    }
  }

  #path(path: PathExpression, frame: Frame, lenient: boolean): unknown {
    const { steps, from } = path;
    const [first, ...rest] = steps;
    let value = this.#start(path, frame);
    if (first !== undefined && from === 'names') {
      const name = nameOf(first);
      const isBound = path.up === 0 && frame.names.has(name);
      value = isBound ? frame.names.get(name) : readOwn(value, name);
      const isVariable = !isBound && this.#start(path, frame) === this.#root;
      if (value === undefined && (lenient || (isVariable && this.#options.isOptional(name)))) return undefined;
    } else if (first !== undefined) value = readOwn(value, this.#step(first, frame));
    for (const step of rest) {
      if (value === undefined) break;
      value = readOwn(value, this.#step(step, frame));
    }
    if (value !== undefined || lenient) return value;
    if (from === 'data' && this.#options.isOptional(`@${nameOf(first)}`)) return undefined;
    const error = this.#error(`the variable "${path.text}" is missing`, path.offset, {
      kind: 'missing-variable',
      variable: path.text,
    });
    if (this.#onMissing === undefined) throw error;
    this.#onMissing(error);
    return '';
  }

  /** What the first step of a path is looked up in. */
  #start({ from, up }: PathExpression, frame: Frame): unknown {
    let reached: Frame = frame;
    for (let left = up; left > 0 && reached.outer !== undefined; left -= 1) reached = reached.outer;
    if (from !== 'data') return reached.value;
    return { ...this.#given, root: this.#root, ...reached.data };
  }

  #step(step: string | number | Expression, frame: Frame): string | number {
    if (typeof step !== 'object') return step;
    const value = this.#evaluate(step, frame, false);
    return typeof value === 'number' ? value : (plainText(value) ?? '');
  }

  #call(
    { name, args, named, offset }: Expression & { readonly kind: 'call' },
    frame: Frame,
    lenient: boolean,
  ): unknown {
    this.#count(offset);
    const { functions } = this.#options.language;
    const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (known === undefined) throw this.#error(`"${name}" is not known here`, offset, { kind: 'syntax' });
    const values = args.map((arg, index) =>
      this.#evaluate(arg, frame, lenient || (index === 0 && known.takesMissing === true)),
    );
    const result = this.#run(known, values, this.#named(named, frame), offset);
    if (typeof result === 'string' && result.length > MAX_LENGTH) throw this.#limit('its text grows too long', offset);
    return result;
  }

  #run(known: TreeFunction, args: readonly unknown[], named: Record<string, unknown>, offset: number): unknown {
    try {
      return known.run(args, named);
    } catch (error) {
      if (error instanceof RangeError) throw this.#limit('its text grows too long', offset);
      if (!(error instanceof TemplateError)) throw error;
      throw this.#error(error.message, offset, detailsOf(error));
    }
  }

  #named(named: readonly Named[], frame: Frame): Record<string, unknown> {
    return Object.fromEntries(named.map(([name, value]) => [name, this.#evaluate(value, frame, false)]));
  }

  #test(operator: TestOperator, operands: readonly Expression[], frame: Frame, lenient: boolean): unknown {
    const [left, right] = operands;
    const read = (operand: Expression | undefined) =>
      operand === undefined ? undefined : this.#evaluate(operand, frame, lenient);
    if (operator === 'not') return !this.#isTrue(read(left));
    if (operator !== 'and' && operator !== 'or') return compareValues(operator, read(left), read(right));
    const value = read(left);
    return this.#isTrue(value) === (operator === 'and') ? read(right) : value;
  }

  #isTrue(value: unknown): boolean {
    if (value instanceof SpelledNumber) return value.valueOf() !== 0;
    if (Array.isArray(value)) return value.length > 0;
    if (this.#options.language.emptyMapIsFalse && isMap(value)) return Object.keys(value).length > 0;
    return Boolean(value);
  }

  #text(text: string, offset: number): void {
    this.#count(offset);
    this.#length += text.length;
    if (this.#length > MAX_LENGTH) throw this.#limit('its text grows too long', offset);
    if (text !== '') this.#pieces.push({ kind: 'text', text });
  }

  #count(offset: number): void {
    this.#steps += 1;
    if (this.#steps > MAX_STEPS) throw this.#limit(`it takes more than ${MAX_STEPS} steps`, offset);
  }

  #limit(reason: string, offset: number): TemplateError {
    return this.#error(`rendering takes too much time or memory: ${reason}`, offset, { kind: 'limit' });
  }

  #error(message: string, offset: number, details: TemplateErrorDetails): TemplateError {
    return new TemplateError(message, { ...details, ...positionIn(this.#tree.source, offset) });
  }
}

function nameOf(step: string | number | Expression | undefined): string {
  return step === undefined || typeof step === 'object' ? '' : String(step);
}

function detailsOf({ kind, variable, hint }: TemplateError): TemplateErrorDetails {
  return { kind, ...defined({ variable, hint }) };
}

function describePath(expression: Expression): string {
  if (expression.kind === 'path') return expression.text;
  if (expression.kind !== 'call') return 'value';
  const [first] = expression.args;
  return first === undefined ? expression.name : describePath(first);
}
