import type * as z from 'zod';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import type { CodeSource } from '../../model/own-code.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { Template } from '../../model/suite.ts';
import { splitCommand } from '../../text/command-line.ts';
import { createReadCode } from '../assertions/own-code.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import type { promptSchema } from '../schema/prompt-schema.ts';

/** Code that makes the messages of a prompt: a function of a module, or a program. */
export interface PromptCode {
  /** Where the suite names it. */
  readonly place: Located;
  readonly source: CodeSource;
  /** The words of a command. */
  readonly argv: readonly string[];
  /** Undefined for a program. */
  readonly exportName?: string;
  /** The input contract of the prompt. */
  readonly input?: JsonObject | boolean;
}

interface PlacedText {
  readonly template: Template;
  readonly at: () => SourceLocation;
}

/** Finds the code of a prompt, and notes what it imports. */
export function readPromptCode(
  item: Located,
  prompt: z.output<typeof promptSchema>,
  { files, problems }: { readonly files: ProjectFiles; readonly problems: Problems },
): { readonly messages: []; readonly templates: readonly PlacedText[]; readonly code: PromptCode } | undefined {
  const kind = prompt.module === undefined ? 'command' : 'module';
  const place = childOf(item, kind === 'module' ? 'module' : 'exec');
  const source = createReadCode({ files, problems })(kind, { value: place });
  if (source === undefined) return undefined;
  const { value } = place;
  const argv = Array.isArray(value) ? value.map(String) : splitCommand(String(value));
  if (argv === undefined) {
    problems.report({ code: 'invalid-value', message: 'a quote in the command stays open', at: locate(place) });
    return undefined;
  }
  const exportName = prompt.module === undefined ? undefined : (prompt.export ?? 'default');
  const template: Template = { source: '', variables: [], render: () => '' };
  return {
    messages: [],
    templates: [{ template, at: () => locate(place) }],
    code: { place, source, argv, ...defined({ exportName }) },
  };
}
