import { modeNames } from '../modes.ts';
import { type Item, type Project, promptPath, queueOf } from '../project.ts';
import type { Way } from '../way.ts';

/** Every check passes, so that only the classes can see what went wrong. */
function classify(project: Project, limits: object): void {
  project.suite.defaults = { assert: [{ regex: '.' }] };
  project.suite['classes'] = { truth: '{{expected}}', found: 'text', gate: limits };
}

/** Both tickets of a class are answered otherwise; the prompt is another, so that no cache holds the answers. */
function answerBilling(project: Project, reply: string): void {
  project.write(promptPath, 'Edited: {{ email }}');
  project.answer = ({ text }) => (text.includes('Edited') && /refund|charged/.test(text) ? reply : queueOf(text));
}

function billing({ suite }: Project): readonly Item[] {
  return suite.cases.filter(({ expected }) => expected === 'billing');
}

const ofClass = (name: string, why: string, plant: Way['plant'], limits: object = leastRecall): Way => ({
  name,
  why,
  modes: modeNames,
  project: (project) => classify(project, limits),
  plant,
});

const leastRecall = { recall: { billing: { min: 0.9 } } };

/** Classes of answers that are wrong although every check passes. */
export const classWays: readonly Way[] = [
  ofClass('a class is taken for another', 'every check passes', (project) => answerBilling(project, 'shipping')),
  ofClass(
    'a class is taken for another under a limit on its precision',
    'no answer names the class, so none of them is wrong',
    (project) => answerBilling(project, 'shipping'),
    { precision: { billing: { min: 0.9 } } },
  ),
  ofClass(
    'macro F1 falls below its minimum',
    'the other classes are right',
    (project) => answerBilling(project, 'shipping'),
    { f1: { min: 0.9 } },
  ),
  ofClass('answers of a class name none', 'what is of no class is left out', (project) =>
    answerBilling(project, 'the billing team'),
  ),
  ofClass(
    'no answer names a class',
    'both sides of a comparison have nothing to count',
    (project) => {
      project.suite['classes'] = { truth: '{{expected}}', found: { jsonPath: '$.queue' } };
    },
    {},
  ),
  ofClass('all cases of a class with a limit are removed', 'a limit on nothing is met', (project) => {
    project.suite.cases = project.suite.cases.filter(({ expected }) => expected !== 'billing');
  }),
  ofClass('all cases of a class with a limit are skipped', 'a suite may skip its own cases', (project) => {
    for (const found of billing(project)) found['skip'] = 'later';
  }),
  ofClass('all cases of a class with a limit are observed', 'what is observed is not judged', (project) => {
    for (const found of billing(project)) found['observe'] = true;
  }),
  ofClass('the class of a case is misspelt', 'it is a class of its own', (project) => {
    Object.assign(billing(project)[0] ?? {}, { expected: 'biling' });
    Object.assign(project.suite['classes'] as object, { names: ['billing', 'shipping', 'account'] });
  }),
  ofClass('the class of a limit is misspelt', 'no case is of it', (project) => {
    Object.assign(project.suite['classes'] as object, { gate: { recall: { biling: { min: 0.9 } } } });
  }),
];
