import * as z from 'zod';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { argsParam, buildInput, codeParams, readVerdict } from './own-code.ts';

/** The export runs in a child that is kept for the next answers, so that a check costs no start of Node. */
export const moduleAssertion = defineAssertion({
  summary:
    'your own check: a function that a JavaScript or TypeScript file exports, in a child process with a deadline',
  family: 'own code',
  example: 'module: { value: checks/polite.ts, args: { name: "{{name}}" } }',
  failsOn: { text: 'Hello.' },
  definition: 'your own code',
  main: 'value',
  code: 'module',
  params: z.strictObject({
    value: z.string().min(1).describe('The file, from the folder of the file that names it; no template.'),
    export: z.string().min(1).default('default').describe('The export that is called with the answer.'),
    args: argsParam,
    ...codeParams,
  }),
  async check(target, { value, export: exportName, args, timeout, memoryMb }, context): Promise<CheckOutcome> {
    const { code, ports } = context;
    if (ports.ownCode === undefined || code?.file === undefined) return { error: `${value} can't be run here` };
    const input = buildInput(target, args, context);
    const call = { file: code.file, exportName, input, timeoutMs: timeout, memoryMb };
    return readVerdict(await ports.ownCode.runModule(call), value);
  },
});
