import { runAudit } from './run-audit.ts';
import type { ModelServer } from './server.ts';
import type { Way } from './way.ts';

/** Plants nothing: right answers take the place of wrong ones, so every run says yes. */
const nothingPlanted: Way = {
  name: 'nothing is planted',
  why: 'an audit that compares nothing would not notice',
  plant: () => {},
  modes: ['plain', 'baseline+cache'],
};

/** Fails without a planted failure, so that whoever refuses everything looks good. */
const failingControl: Way = {
  name: 'the control fails',
  why: 'an audit without controls would not notice',
  project(project) {
    project.answer = () => 'nonsense';
  },
  plant: () => {},
  modes: ['plain'],
};

/** Why the audit can't be believed; undefined where it finds what is planted in itself. */
export async function findOwnFault(server: ModelServer): Promise<string | undefined> {
  const outcomes = await runAudit(server, [nothingPlanted, failingControl]);
  const isFound = (name: string, planted: boolean) =>
    outcomes
      .filter(({ way, isPlanted }) => way === name && isPlanted === planted)
      .every(({ fault }) => fault !== undefined);
  if (!isFound(nothingPlanted.name, true)) return 'it does not notice that a run says yes';
  if (!isFound(failingControl.name, false)) return 'it does not notice that a control says no';
  return undefined;
}
