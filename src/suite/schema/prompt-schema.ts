import * as z from 'zod';
import { flag, id, inputs, placedFiles, text, words } from './fields.ts';
import { params } from './provider-schema.ts';
import { contract } from './suite-schema.ts';

const message = z
  .strictObject({
    role: z
      .enum(['system', 'developer', 'user', 'assistant'], { error: 'must be system, developer, user or assistant' })
      .describe("Who speaks. Roles are split before rendering, so that a variable can't forge one."),
    content: text.optional().describe('The message, a template over the variables of the case.'),
    file: words.optional().describe('A file that holds the content.'),
    attach: z
      .array(words)
      .min(1, { error: 'needs at least one path' })
      .optional()
      .describe(
        "Images, PDFs and sounds to send with it: paths from the suite's folder, templates over the variables.",
      ),
  })
  .refine((value) => (value.content === undefined) !== (value.file === undefined), {
    error: 'needs either content or file',
  });

export const promptSchema = z
  .strictObject({
    id: id.describe('Names the version; results and baselines refer to it.'),
    file: words
      .optional()
      .describe(
        'A prompt file: .md and .txt are one user message, .yaml and .json a list of messages; .prompt.yml, .prompt and .prompty bring parameters, schemas and test data.',
      ),
    text: text.optional().describe('One user message, a template over the variables of the case.'),
    messages: z.array(message).min(1, { error: 'needs at least one message' }).optional().describe('Chat messages.'),
    module: words
      .optional()
      .describe(
        'A module whose function makes the prompt of the variables: text, messages or {messages, params, tools}.',
      ),
    export: words.optional().describe('The function of the module; default is the default export.'),
    exec: z
      .union([words, z.array(words).min(1)], { error: 'must be a command, or a list of its words' })
      .optional()
      .describe(
        'A program that makes the prompts: a line of JSON for the variables of each case in, a line of JSON out.',
      ),
    inputs: inputs.optional(),
    replaces: id.optional().describe('The version that this one is compared with, which is then report-only.'),
    providers: z
      .array(words)
      .min(1, { error: 'needs at least one provider, or leave it out' })
      .optional()
      .describe('Only on these providers.'),
    workspace: placedFiles
      .optional()
      .describe('Files that programs find in their workspace: where each is put, and the file of the project.'),
    params: params.optional().describe("Overrides the provider's params."),
    structured: flag
      .optional()
      .describe("Sends contract.output as the API's own schema mode; overrides the provider's structured."),
    contract: contract.optional().describe("This version's contract, where it differs from the suite's."),
  })
  .refine(hasOneSource, { error: 'needs exactly one of file, text, messages, module and exec' })
  .refine(({ inputs: patterns, module, exec }) => patterns === undefined || (module ?? exec) !== undefined, {
    error: 'has inputs without module or exec',
  })
  .refine((value) => value.export === undefined || value.module !== undefined, { error: 'has export without module' });

function hasOneSource({ file, text: written, messages, module, exec }: Readonly<Record<string, unknown>>): boolean {
  return [file, written, messages, module, exec].filter((source) => source !== undefined).length === 1;
}
