import { describe, expect, test } from 'vitest';
import type { ScriptedStep } from '../../support/agent-server.ts';
import { faultsOf, isRead, isWrite, namesOf, runTasks, type Task, tasks } from '../../support/retail-shop.ts';

// The tools, the policy and the goals of the users are written after the retail domain of tau2-bench.

type Path = readonly ScriptedStep[];

/** Runs of look-ups that follow each other, changed as a whole. */
function changeReads(path: Path, change: (reads: readonly ScriptedStep[]) => Path): Path {
  const changed: ScriptedStep[] = [];
  let reads: ScriptedStep[] = [];
  for (const step of [...path, undefined]) {
    if (step !== undefined && isRead(step)) {
      reads.push(step);
      continue;
    }
    changed.push(...change(reads), ...(step === undefined ? [] : [step]));
    reads = [];
  }
  return changed;
}

const writing = tasks.filter(({ right }) => right.some(isWrite));
const writesOf = ({ right }: Task) => right.filter(isWrite).flatMap(namesOf);
/** For each tool that writes, the first task with it and the last: what all tasks must not do is checked in one place. */
const [someWriting = [], otherWriting = []] = [writing, writing.toReversed()].map((list) => {
  const tools = new Set(list.flatMap(writesOf));
  return [...new Set([...tools].flatMap((name) => list.find((task) => writesOf(task).includes(name)) ?? []))];
});

async function faultsWhere(some: readonly Task[], path: (task: Task) => Path) {
  const { trials } = await runTasks(new Map(some.map((task) => [task.id, path(task)])));
  return some.map(({ id }) => [id, faultsOf(trials.get(id))] as const);
}

test('there are 30 tasks, each with a right and a wrong path', () => {
  expect([tasks.length, writing.length, someWriting.length, otherWriting.length]).toEqual([30, 19, 7, 5]);
  expect(tasks.filter(({ right, wrong }) => right.length === 0 || wrong.length === 0)).toEqual([]);
});

describe('an agent in a shop passes', () => {
  test('its tasks', { tags: ['slow'] }, async () => {
    const faults = await faultsWhere(tasks, ({ right }) => right);
    expect(faults.filter(([, reasons]) => reasons.length > 0)).toEqual([]);
  });

  const ways: readonly ((reads: readonly ScriptedStep[]) => Path)[] = [
    (reads) => reads.toReversed(),
    (reads) => (reads.length === 0 ? [] : [reads.flat()]) as Path,
    (reads) => reads.flatMap((step) => [step, step]),
  ];
  test('if its look-ups come in another order, at once, or twice', { tags: ['slow'] }, async () => {
    const change = (task: Task) => ways[tasks.indexOf(task) % ways.length] ?? ((reads) => reads);
    const some = tasks.filter((_, at) => at % 2 === 0);
    const faults = await faultsWhere(some, (task) => changeReads(task.right, change(task)));
    expect(faults.filter(([, reasons]) => reasons.length > 0)).toEqual([]);
  });
});

describe('an agent in a shop fails', () => {
  for (const at of [0, 1, 2]) {
    test(`each task by its wrong path ${at + 1}`, { tags: ['slow'] }, async () => {
      const some = tasks.filter(({ wrong }) => wrong[at] !== undefined);
      const faults = await faultsWhere(some, ({ wrong }) => wrong[at]?.steps ?? []);
      const unsaid = faults.flatMap(([id, reasons]) => {
        const { why = '', says = [] } = tasks.find((task) => task.id === id)?.wrong[at] ?? {};
        const isSaid = says.length > 0 && says.every((words) => reasons.join('\n').includes(words));
        return isSaid ? [] : [{ id, why, says, reasons }];
      });
      expect(unsaid).toEqual([]);
    });
  }

  test('when it writes before the customer says yes', { tags: ['slow'] }, async () => {
    const faults = await faultsWhere(someWriting, ({ right }) => {
      const rest = right.filter((step) => !isWrite(step));
      return rest.toSpliced(
        rest.findIndex((step) => typeof step === 'string'),
        0,
        ...right.filter(isWrite),
      );
    });
    for (const [id, reasons] of faults) {
      const [name] = writing.filter((task) => task.id === id).flatMap(writesOf);
      expect([id, reasons.join('\n')]).toEqual([
        id,
        expect.stringMatching(`waits for a yes: calls ${name}\\(.*\\) at step \\d, which it must never call`),
      ]);
    }
  });

  test('when it writes without knowing the customer', { tags: ['slow'] }, async () => {
    const faults = await faultsWhere(otherWriting, ({ right }) =>
      right.filter((step) => !namesOf(step).some((name) => name.startsWith('find_user'))),
    );
    for (const [id, reasons] of faults) {
      expect([id, reasons.join('\n')]).toEqual([
        id,
        expect.stringContaining('before it has a result of "find_user_by_email"'),
      ]);
    }
  });

  test('when it writes twice, whether the tool lets it or not', { tags: ['slow'] }, async () => {
    const faults = await faultsWhere(someWriting, ({ right }) =>
      right.flatMap((step) => (isWrite(step) ? [step, step] : [step])),
    );
    for (const [id, reasons] of faults) {
      expect([id, reasons.join('\n')]).toEqual([
        id,
        expect.stringMatching(/writes once: makes the call \w+\(.*\) twice/),
      ]);
    }
  });

  test('when it only says that it did it', { tags: ['slow'] }, async () => {
    const faults = await faultsWhere(otherWriting, ({ right }) => right.filter((step) => typeof step === 'string'));
    for (const [id, reasons] of faults) {
      expect([id, reasons.join('\n')]).toEqual([id, expect.stringMatching(/final state: .*found nothing/)]);
    }
  });
});
