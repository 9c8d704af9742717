import type { CheckSpec } from '../model/verdict.ts';
import type { PlacedPath } from './check-paths.ts';
import type { Scope, ValueTemplate } from './template-values.ts';

/** An assertion as written, ready to be made into the check of a case. */
export type CompiledAssertion = ConstantAssertion | TemplateAssertion;

interface NamedAssertion {
  readonly name: string;
  /** The JSONPaths that it goes along, where they are no templates. */
  readonly paths: readonly PlacedPath[];
}

/** The same for every case, and so one object for all. */
export interface ConstantAssertion extends NamedAssertion {
  readonly kind: 'constant';
  readonly check: CheckSpec;
  readonly variables: readonly [];
}

/** Throws a `RenderError`; reports what the parameters' schema refuses and gives undefined. */
export interface TemplateAssertion extends NamedAssertion {
  readonly kind: 'template';
  readonly variables: readonly string[];
  /** Of its parameters and of its children's. */
  readonly templates: readonly ValueTemplate[];
  instantiate(scope: Scope): CheckSpec | undefined;
}

/** The check of a case; undefined where its parameters, once rendered, are refused. */
export function instantiate(assertion: CompiledAssertion, scope: Scope): CheckSpec | undefined {
  return assertion.kind === 'constant' ? assertion.check : assertion.instantiate(scope);
}
