import type { ZodType } from 'zod';
import type { OptionalPackage } from '../optional-packages.ts';
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

/** The declaration of an assertion for suite validation, JSON Schema, `list assertions` and the docs. */
export interface AssertionDeclaration {
  readonly summary: string;
  readonly family: AssertionFamily;
  /** A complete YAML snippet of one assertion. */
  readonly example: string;
  /** The standard or paper that defines it, else the rule in a few words. */
  readonly definition?: string;
  /** The strict schema of the parameters' map form. */
  readonly params: ZodType;
  /** The parameter that the short form sets (`contains: refund`); undefined if there is only the map form. */
  readonly main?: string;
  /** The value is always the main parameter, even if it is a map (`jsonSchema`). */
  readonly wholeValue?: boolean;
  /** Parameters that may be a path to a JSON or YAML file. The file's content replaces the path. */
  readonly files?: readonly string[];
  /** Parameters that are a JSON Schema. */
  readonly schemas?: readonly string[];
  /** Parameters that are tool calls or maps of them. Each call may have a `schema`. */
  readonly calls?: readonly string[];
  /** Parameters keep a YAML number's spelling (`SpelledNumber`) instead of becoming plain numbers. */
  readonly spelled?: boolean;
  /** Takes one child (`not`) or a list of them (`anyOf`, `allOf`) in place of parameters. */
  readonly children?: 'one' | 'many';
  /** Tells why no text can fail a check with these parsed parameters; undefined if some text can. */
  readonly findIdle?: (params: unknown) => string | undefined;
  /**
   * Set if the main parameter is the user's own code: a module's path or a command. Neither it nor `files` may be a
   * template.
   */
  readonly code?: 'module' | 'command';
  /** An optional package that the check needs. A usage error names the command that installs it. */
  readonly needsPackage?: OptionalPackage;
  /** Set if the check calls a model of the suite. */
  readonly asks?: AskedModel;
  /** Set if the check also reads the accepted answer. */
  readonly comparesAccepted?: true;
  /** Set if the check reads the other side's answer, which replaces the accepted answer. */
  readonly comparesOther?: true;
  /** The part of the answer to check if the user selects none. Default: text. */
  readonly defaultSelect?: 'text' | 'json' | 'toolCalls';
  /** The plug-in that it comes from. */
  readonly plugin?: LoadedPlugin<AssertionPlugin>;
}

/** The model that a check calls. */
export interface AskedModel {
  readonly kind: 'judge' | 'embeddings';
  /** The parameter that names it. */
  readonly param: 'judge' | 'provider';
  /** The default: a local model from optional packages, or the suite's only judge if undefined. */
  readonly offline?: { readonly model: string; readonly packages: readonly OptionalPackage[] };
  /** Increases when the prompt for the same parameters is reworded. Stored verdicts are then stale. */
  readonly wording: number;
}
