import * as z from 'zod';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { wordsParam } from '../own-code/exec.ts';
import { durationParam } from '../params.ts';
import { noWorkspace, readWorkspace } from './workspace-state.ts';

/** Started without a shell in a fresh copy of what the program left, so that checks do not see what others did. */
export const command = defineAssertion({
  summary: 'a command in the workspace that a program left, such as its tests: exit code 0 passes',
  family: 'own code',
  example: 'command: npm test',
  failsOn: {
    text: 'Fixed.',
    state: { workspace: { from: 'shop', hash: '', unchanged: ['src/cart.js'], changed: {}, created: {}, deleted: [] } },
  },
  definition: 'the exit code of your own command',
  main: 'value',
  params: z.strictObject({
    value: wordsParam.describe('The command, without a shell. It starts in the workspace, with a home of its own.'),
    timeout: durationParam
      .pipe(z.number().gt(0, { error: 'must be more than 0' }))
      .prefault('1m')
      .describe('How long it may take.'),
    memoryMb: z
      .int()
      .min(16, { error: 'must be 16 or more' })
      .default(2048)
      .describe('How much memory it may take, in MB.'),
    network: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .describe('Whether it may use the network, as under a provider with a workspace.'),
  }),
  async check(_target, { value, timeout, memoryMb, network }, { completion, ports }): Promise<CheckOutcome> {
    const workspace = readWorkspace(completion);
    if (workspace === undefined) return { error: noWorkspace };
    const shown = value.join(' ');
    if (ports.workspace === undefined) return { error: `${shown} can't be run here` };
    const outcome = await ports.workspace.run(workspace, { argv: value, timeoutMs: timeout, memoryMb, network });
    if ('fault' in outcome) return { error: `${shown} ${outcome.fault}` };
    const { exitCode, signalName, tail } = outcome;
    if (exitCode === 0) return { pass: true, reason: `${shown} ended with exit code 0` };
    const how = exitCode === null ? `was ended by ${signalName}` : `ended with exit code ${exitCode}`;
    return { pass: false, reason: `${shown} ${how}${tail === '' ? ' and wrote nothing' : `: ${tail}`}` };
  },
});
