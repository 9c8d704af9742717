import { expect, test } from 'vitest';
import { openTickets, type TicketsProject } from './tickets-project.ts';

const one = { providers: ['mini'] };

async function openBroken(): Promise<TicketsProject> {
  const project = await openTickets(one);
  await project.accept();
  project.editPrompt();
  project.broken.set('locked-out-3', 'shipping');
  return project;
}

/** The command that the last line of a report names. */
function nextStepOf(stdout: string): readonly string[] {
  const command = /llmcheck (.*)$/.exec(stdout.trimEnd().replaceAll(/\s+/g, ' '))?.[1];
  if (command === undefined) throw new Error(`no next step in:\n${stdout}`);
  return command.split(' ');
}

test('a broken must-pass case can be accepted by the command that the report names', { tags: 'slow' }, async () => {
  const project = await openBroken();
  const { code, stdout } = await project.llmcheck(['run']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('to accept this on purpose')]);
  expect((await project.llmcheck(nextStepOf(stdout))).code).toBe(0);
  expect((await project.llmcheck(['run'])).stdout).toContain('unchanged');
});

test('beside cells without a verdict the report names the command that judges them', { tags: 'slow' }, async () => {
  const project = await openBroken();
  project.refuseCase('refund-2');
  const { code, stdout } = await project.llmcheck(['run']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('to judge the rest')]);
  project.refuseCase(undefined);
  const resumed = await project.llmcheck(nextStepOf(stdout));
  expect([resumed.code, resumed.stdout]).toEqual([1, expect.not.stringContaining('errored')]);
  expect((await project.llmcheck(nextStepOf(resumed.stdout))).code).toBe(0);
});
