import type { ZodType } from 'zod';

export type AssertionFamily =
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
  /** A YAML snippet of one assertion, valid as it stands. */
  readonly example: string;
  /** The map form of the parameters, strict. */
  readonly params: ZodType;
  /** The parameter that the short form fills (`contains: refund`); undefined: only the map form exists. */
  readonly main?: string;
  /** The value is always the main parameter, even where it is a map (`jsonSchema`). */
  readonly wholeValue?: boolean;
  /** Parameters that may be a path to a JSON or YAML file, whose content takes the path's place. */
  readonly files?: readonly string[];
  /** Parameters keep a YAML number's spelling (`SpelledNumber`) instead of becoming plain numbers. */
  readonly spelled?: boolean;
  /** Takes one child (`not`) or a list of them (`anyOf`, `allOf`) in place of parameters. */
  readonly children?: 'one' | 'many';
  /** The main parameter names the user's own code: a module's path, or a command. It must be no template; nor must `files`. */
  readonly code?: 'module' | 'command';
  /** An optional package that the check needs, for a usage error with the command that installs it. */
  readonly needsPackage?: string;
  /** The part of the answer that is checked where the user selects none; default text. */
  readonly defaultSelect?: 'text' | 'json' | 'toolCalls';
}
