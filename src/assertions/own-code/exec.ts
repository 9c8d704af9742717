import * as z from 'zod';
import { splitCommand } from '../../text/command-line.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { argsParam, buildInput, codeParams, readVerdict } from './own-code.ts';

export const wordsParam = z.union(
  [
    z.array(z.string().min(1)).min(1),
    z.string().transform((line, context) => {
      const words = splitCommand(line);
      if (words !== undefined && words.length > 0) return [...words];
      context.addIssue({ code: 'custom', message: 'names no program' });
      return z.NEVER;
    }),
  ],
  { error: 'must be a command with closed quotes, or a list of its words' },
);

/** Started without a shell for every answer, in the folder of the file that names it. */
export const exec = defineAssertion({
  summary: 'your own check: a program that reads the answer as JSON on stdin and writes a verdict on stdout',
  family: 'own code',
  example: 'exec: { value: "python3 checks/polite.py", args: { name: "{{name}}" } }',
  failsOn: { text: 'Hello.' },
  definition: 'your own program',
  main: 'value',
  code: 'command',
  params: z.strictObject({
    value: wordsParam.describe('The command, without a shell; no template.'),
    args: argsParam,
    env: z.array(z.string().min(1)).default([]).describe('Names of variables that it may see beside the basic ones.'),
    ...codeParams,
  }),
  async check(target, { value, args, env, timeout, memoryMb }, context): Promise<CheckOutcome> {
    const { code, ports } = context;
    const shown = value.join(' ');
    if (ports.ownCode === undefined || code === undefined) return { error: `${shown} can't be run here` };
    const input = buildInput(target, args, context);
    const { folder } = code;
    const call = { argv: value, folder, envNames: env, input, timeoutMs: timeout, memoryMb };
    return readVerdict(await ports.ownCode.runCommand(call), shown);
  },
});
