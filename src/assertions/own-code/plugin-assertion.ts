import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { toZodSchema } from '../../json/to-zod-schema.ts';
import type { AssertionPlugin, CodeOutcome, LoadedPlugin } from '../../model/own-code.ts';
import { DeadlineError } from '../../text/deadline.ts';
import { replaceLongNumbers } from '../../text/exact-numbers.ts';
import { describeThrown } from '../../text/thrown.ts';
import type { CheckAssertion, CheckOutcome } from '../define.ts';
import { buildInput, readVerdict } from './own-code.ts';

const defaultTimeoutMs = 10_000;

/**
 * An assertion of a plug-in, which runs in this process: its author is trusted like the config that names it. A check
 * that loops or never settles is stopped, and what it throws or returns wrongly is an errored check.
 */
export function createPluginAssertion({ plugin, hash }: LoadedPlugin<AssertionPlugin>): CheckAssertion {
  const { name, summary, example, params, main, timeoutMs = defaultTimeoutMs } = plugin;
  return {
    summary,
    family: 'own code',
    example: example ?? `${name}: {}`,
    params: params === undefined ? z.strictObject({}) : toZodSchema(params),
    ...defined({ main }),
    plugin: { plugin, hash },
    async check(target, checked, context): Promise<CheckOutcome> {
      const { args: _args, ...input } = buildInput(target, undefined, context);
      // A JavaScript number can't hold a long one.
      const held = replaceLongNumbers(input, ({ source }) => source) as typeof input;
      const run = () => plugin.check({ ...held, params: checked });
      try {
        const outcome = await settle(context.ports.deadline(run, timeoutMs), timeoutMs);
        return readVerdict(outcome, name);
      } catch (error) {
        // A deadline has its own words, further up.
        if (error instanceof DeadlineError) throw error;
        return { error: `${name} threw ${describeThrown(error)}` };
      }
    },
  };
}

/** The deadline of what is synchronous can't end a promise: it is left behind. */
async function settle(returned: unknown, timeoutMs: number): Promise<CodeOutcome> {
  if (!(returned instanceof Object) || !('then' in returned)) return { returned };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CodeOutcome>((resolve) => {
    timer = setTimeout(() => resolve({ fault: `took longer than ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(returned).then((value: unknown) => ({ returned: value })), late]);
  } finally {
    clearTimeout(timer);
  }
}
