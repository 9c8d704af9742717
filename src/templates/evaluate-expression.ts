import { isRecord } from '../json/deep-equal.ts';
import { SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { detailsOf, missingVariable, positionIn, TemplateError, type TemplateErrorDetails } from './template-error.ts';
import type {
  Expression,
  Named,
  PathExpression,
  TemplateTree,
  TestOperator,
  TreeFunction,
  TreeLanguage,
} from './template-tree.ts';
import { compareValues, plainText, readOwn } from './template-values.ts';

export interface RenderOptions {
  readonly language: TreeLanguage;
  readonly partials?: Readonly<Record<string, TemplateTree>>;
  /** True for a variable that may be missing and is then empty. */
  readonly isOptional: (name: string) => boolean;
}

/** A scope within a template: current value, names and loop data. */
export interface Frame {
  readonly value: unknown;
  readonly names: ReadonlyMap<string, unknown>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly outer?: Frame;
}

// Limits for a prompt. A template that exceeds them is no prompt.
const maxSteps = 500_000;
export const maxLength = 5_000_000;

/** Evaluates expressions over data, within limits of steps and length. */
export class Evaluator {
  protected readonly root: Readonly<Record<string, unknown>>;
  protected readonly options: RenderOptions;
  /** The template or partial being rendered, for the places of errors. */
  protected tree: TemplateTree;
  /** Data from outside the prompt, such as `@state`, passed as a variable of that name. */
  readonly #given: Readonly<Record<string, unknown>>;
  /** Receives errors of missing variables, which then count as empty. Without it they are thrown. */
  protected onMissing: ((error: TemplateError) => void) | undefined;
  #steps = 0;

  constructor(
    tree: TemplateTree,
    vars: Readonly<Record<string, unknown>>,
    options: RenderOptions,
    onMissing?: (error: TemplateError) => void,
  ) {
    this.tree = tree;
    this.root = vars;
    const given = Object.entries(vars).filter(([key]) => key.startsWith('@'));
    this.#given = Object.fromEntries(given.map(([key, value]) => [key.slice(1), value]));
    this.options = options;
    this.onMissing = onMissing;
  }

  protected evaluate(expression: Expression, frame: Frame, lenient: boolean): unknown {
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
      const isVariable = !isBound && this.#start(path, frame) === this.root;
      if (value === undefined && (lenient || (isVariable && this.options.isOptional(name)))) return undefined;
    } else if (first !== undefined) value = readOwn(value, this.#step(first, frame));
    for (const step of rest) {
      if (value === undefined) break;
      value = readOwn(value, this.#step(step, frame));
    }
    if (value !== undefined || lenient) return value;
    if (from === 'data' && this.options.isOptional(`@${nameOf(first)}`)) return undefined;
    const at = positionIn(this.tree.source, path.offset);
    const error = missingVariable(path.text, { ...at, hint: this.options.language.missingHint(path.text) });
    if (this.onMissing === undefined) throw error;
    this.onMissing(error);
    return '';
  }

  /** Finds the value in which a path starts. */
  #start({ from, up }: PathExpression, frame: Frame): unknown {
    let reached: Frame = frame;
    for (let left = up; left > 0 && reached.outer !== undefined; left -= 1) reached = reached.outer;
    if (from !== 'data') return reached.value;
    return { ...this.#given, root: this.root, ...reached.data };
  }

  #step(step: string | number | Expression, frame: Frame): string | number {
    if (typeof step !== 'object') return step;
    return plainText(this.evaluate(step, frame, false)) ?? '';
  }

  #call(
    { name, args, named, offset }: Expression & { readonly kind: 'call' },
    frame: Frame,
    lenient: boolean,
  ): unknown {
    this.count(offset);
    const known = this.options.language.functions[name];
    if (known === undefined) throw this.error(`"${name}" is not known here`, offset, { kind: 'syntax' });
    const values = args.map((arg, index) =>
      this.evaluate(arg, frame, lenient || (index === 0 && known.takesMissing === true)),
    );
    const result = this.#run(known, values, this.named(named, frame), offset);
    if (typeof result === 'string' && result.length > maxLength) throw this.limit('its text grows too long', offset);
    return result;
  }

  #run(known: TreeFunction, args: readonly unknown[], named: Record<string, unknown>, offset: number): unknown {
    try {
      return known.run(args, named);
    } catch (error) {
      if (error instanceof RangeError) throw this.limit('its text grows too long', offset);
      if (!(error instanceof TemplateError)) throw error;
      throw this.error(error.message, offset, detailsOf(error));
    }
  }

  protected named(named: readonly Named[], frame: Frame): Record<string, unknown> {
    return Object.fromEntries(named.map(([name, value]) => [name, this.evaluate(value, frame, false)]));
  }

  #test(operator: TestOperator, operands: readonly Expression[], frame: Frame, lenient: boolean): unknown {
    const [left, right] = operands;
    const read = (operand: Expression | undefined) =>
      operand === undefined ? undefined : this.evaluate(operand, frame, lenient);
    if (operator === 'not') return !this.isTrue(read(left));
    if (operator !== 'and' && operator !== 'or') return compareValues(operator, read(left), read(right));
    const value = read(left);
    return this.isTrue(value) === (operator === 'and') ? read(right) : value;
  }

  protected isTrue(value: unknown): boolean {
    if (value instanceof SpelledNumber) return value.valueOf() !== 0;
    if (Array.isArray(value)) return value.length > 0;
    if (this.options.language.emptyMapIsFalse && isRecord(value)) return Object.keys(value).length > 0;
    return Boolean(value);
  }

  protected count(offset: number): void {
    this.#steps += 1;
    if (this.#steps > maxSteps) throw this.limit(`it takes more than ${maxSteps} steps`, offset);
  }

  protected limit(reason: string, offset: number): TemplateError {
    return this.error(`rendering takes too much time or memory: ${reason}`, offset, { kind: 'limit' });
  }

  protected error(message: string, offset: number, details: TemplateErrorDetails): TemplateError {
    return new TemplateError(message, { ...details, ...positionIn(this.tree.source, offset) });
  }
}

export function nameOf(step: string | number | Expression | undefined): string {
  return step === undefined || typeof step === 'object' ? '' : String(step);
}

export function describePath(expression: Expression): string {
  if (expression.kind === 'path') return expression.text;
  if (expression.kind !== 'call') return 'value';
  const [first] = expression.args;
  return first === undefined ? expression.name : describePath(first);
}
