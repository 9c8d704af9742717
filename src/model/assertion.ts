import type { ZodType } from 'zod';
import type { OptionalPackage } from './optional-packages.ts';
import type { AssertionPlugin, LoadedPlugin } from './own-code.ts';

type AssertionFamily =
  | 'text'
  | 'structure'
  | 'similarity'
  | 'behaviour'
  | 'budget'
  | 'judge'
  | 'own code'
  | 'baseline'
  | 'combinator';

/** What suite validation, JSON Schema, `list assertions` and the docs need to know of an assertion. */
export interface AssertionDeclaration {
  readonly summary: string;
  readonly family: AssertionFamily;
  /** A complete YAML snippet of one assertion. */
  readonly example: string;
  /** The standard or paper that says what it means, else the rule in a few words. */
  readonly definition?: string;
  /** The map form of the parameters, strict. */
  readonly params: ZodType;
  /** The parameter that the short form fills (`contains: refund`); undefined: only the map form exists. */
  readonly main?: string;
  /** The value is always the main parameter, even if it is a map (`jsonSchema`). */
  readonly wholeValue?: boolean;
  /** Parameters that may be a path to a JSON or YAML file, whose content takes the path's place. */
  readonly files?: readonly string[];
  /** Parameters that are a JSON Schema. */
  readonly schemas?: readonly string[];
  /** Parameters that are tool calls, or maps of them, each of which may have a `schema`. */
  readonly calls?: readonly string[];
  /** Parameters keep a YAML number's spelling (`SpelledNumber`) instead of becoming plain numbers. */
  readonly spelled?: boolean;
  /** Takes one child (`not`) or a list of them (`anyOf`, `allOf`) in place of parameters. */
  readonly children?: 'one' | 'many';
  /** Why no text fails the check, for parameters as `params` parsed them; undefined if one may. */
  readonly findIdle?: (params: unknown) => string | undefined;
  /** The main parameter names the user's own code: a module's path, or a command. It must be no template; nor must `files`. */
  readonly code?: 'module' | 'command';
  /** An optional package that the check needs, for a usage error with the command that installs it. */
  readonly needsPackage?: OptionalPackage;
  /** Set if the check calls a model of the suite. */
  readonly asks?: AskedModel;
  /** Set if the check looks at the accepted answer too. */
  readonly comparesAccepted?: true;
  /** Set if it reads the answer of the other side of the comparison, which replaces the accepted answer. */
  readonly comparesOther?: true;
  /** The part of the answer that is checked where the user selects none; default text. */
  readonly defaultSelect?: 'text' | 'json' | 'toolCalls';
  /** The plug-in that it comes from. */
  readonly plugin?: LoadedPlugin<AssertionPlugin>;
}

/** Which model a check calls, and how. */
export interface AskedModel {
  readonly kind: 'judge' | 'embeddings';
  /** The parameter that names it. */
  readonly param: 'judge' | 'provider';
  /** Where the parameter is left out: a model that is computed here by optional packages; undefined: the suite's only judge. */
  readonly offline?: { readonly model: string; readonly packages: readonly OptionalPackage[] };
  /** Grows when the prompt for the same parameters is reworded, which makes stored verdicts stale. */
  readonly wording: number;
}
