import { isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import { describePath, Evaluator, type Frame, maxLength, nameOf, type RenderOptions } from './evaluate-expression.ts';
import { detailsOf, joinErrors, positionIn, TemplateError } from './template-error.ts';
import {
  type EachNode,
  type Expression,
  indentPieces,
  type Piece,
  type TemplateTree,
  type TreeNode,
} from './template-tree.ts';
import { describeKind, listEntries, plainText } from './template-values.ts';

const maxDepth = 100;

/**
 * Renders a tree. Values of variables are data and never parsed as a template. The error for a missing variable lists
 * all missing ones.
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
    // No more errors can be found after an empty variable that needs a value.
    if (!(error instanceof TemplateError)) throw error;
  }
  return found;
}

class Renderer extends Evaluator {
  #pieces: Piece[] = [];
  #length = 0;
  #depth = 0;

  render(): readonly Piece[] {
    this.#nodes(this.tree.nodes, { value: this.root, names: new Map(), data: {} });
    return this.#pieces;
  }

  #nodes(nodes: readonly TreeNode[], frame: Frame): void {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw this.limit(`it is nested deeper than ${maxDepth} levels`, 0);
    for (const node of nodes) this.#node(node, frame);
    this.#depth -= 1;
  }

  #node(node: TreeNode, frame: Frame): void {
    switch (node.kind) {
      case 'text':
        this.#text(node.text, 0);
        break;
      case 'output':
        this.count(node.offset);
        this.#text(this.#print(node.value, frame, node.offset), node.offset);
        break;
      case 'if': {
        const branch = node.branches.find(({ test }) => this.isTrue(this.evaluate(test, frame, true)));
        this.#nodes(branch?.body ?? node.otherwise, frame);
        break;
      }
      case 'each':
        this.#each(node, frame);
        break;
      case 'with': {
        const value = this.evaluate(node.value, frame, true);
        if (!this.isTrue(value)) this.#nodes(node.otherwise, frame);
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
        this.count(node.offset);
        const { mark, offset } = node;
        if (mark === 'history') this.#pieces.push({ kind: mark, value: '', offset });
        else {
          const value = node.value === undefined ? '' : this.#print(node.value, frame, offset);
          const type = node.contentType === undefined ? undefined : this.#print(node.contentType, frame, offset);
          this.#pieces.push({ kind: mark, value, offset, ...defined({ contentType: type, isGiven: node.isGiven }) });
        }
      }
    }
  }

  #each(node: EachNode, frame: Frame): void {
    const value = this.evaluate(node.list, frame, false);
    const entries = listEntries(value, node.entersItem);
    if (entries === undefined) {
      const path = describePath(node.list);
      throw this.error(`"${path}" is ${describeKind(value)}, which is not a list`, node.offset, {
        kind: 'not-text',
        variable: path,
      });
    }
    if (entries.length === 0) this.#nodes(node.otherwise, frame);
    for (const [index, [key, item]] of entries.entries()) {
      this.count(node.offset);
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
    this.count(node.offset);
    const { partials = {} } = this.options;
    const partial = Object.hasOwn(partials, node.name) ? partials[node.name] : undefined;
    if (partial === undefined) {
      throw this.error(`there is no partial "${node.name}"`, node.offset, { kind: 'syntax' });
    }
    const context = node.context === undefined ? frame.value : this.evaluate(node.context, frame, false);
    const named = this.named(node.named, frame);
    const value = node.named.length === 0 ? context : { ...(isRecord(context) ? context : {}), ...named };
    const { tree: caller, onMissing } = this;
    const before = this.#pieces;
    const within = (error: TemplateError): TemplateError => {
      const { line = 1, column = 1, message } = error;
      const place = `in the partial "${node.name}" (its line ${line}, column ${column}): `;
      // Name a recursive partial only once.
      const isNamed = error.kind === 'limit' && message.startsWith('in the partial "');
      return new TemplateError(isNamed ? message : place + message, {
        ...detailsOf(error),
        ...positionIn(caller.source, node.offset),
      });
    };
    this.tree = partial;
    this.#pieces = [];
    if (onMissing !== undefined) this.onMissing = (error) => onMissing(within(error));
    try {
      this.#nodes(partial.nodes, { value, names: new Map(), data: frame.data, outer: frame });
    } catch (error) {
      throw error instanceof TemplateError ? within(error) : error;
    }
    this.tree = caller;
    this.onMissing = onMissing;
    // Positions of a partial's marks are in another text. Use the place that names the partial.
    const made = this.#pieces.map((piece) => (piece.kind === 'text' ? piece : { ...piece, offset: node.offset }));
    this.#pieces = before;
    for (const piece of node.indent === '' ? made : indentPieces(made, node.indent)) before.push(piece);
  }

  #print(value: Expression, frame: Frame, offset: number): string {
    const found = this.evaluate(value, frame, false);
    const text = plainText(found) ?? this.options.language.print?.(found);
    if (text !== undefined) return text;
    const path = describePath(value);
    if (found === undefined || (found === null && this.#mayBeNull(value))) return '';
    throw this.error(
      `"${path}" is ${describeKind(found)}, which ${found === null ? 'has no text' : 'has no text of its own'}`,
      offset,
      { kind: 'not-text', variable: path, hint: this.options.language.textHint(path, found) },
    );
  }

  #mayBeNull(value: Expression): boolean {
    return value.kind !== 'path' || (value.from === 'names' && this.options.isOptional(nameOf(value.steps[0])));
  }

  #text(text: string, offset: number): void {
    this.count(offset);
    this.#length += text.length;
    if (this.#length > maxLength) throw this.limit('its text grows too long', offset);
    if (text !== '') this.#pieces.push({ kind: 'text', text });
  }
}
