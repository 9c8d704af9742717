import { modeNames } from '../modes.ts';
import { casesPath, promptPath } from '../project.ts';
import { greenIn, type Way } from '../way.ts';

/** A run is resumed with the selection that it began with. */
const notResumed = modeNames.filter((name) => !name.includes('resume'));

/** A selection with typo, a file that was emptied, cases that left. */
export const caseWays: readonly Way[] = [
  {
    name: 'the file of cases is emptied',
    why: 'the other cases still pass',
    modes: modeNames,
    plant: (project) => project.write(casesPath, ''),
  },
  {
    name: 'the file of cases is gone',
    why: 'the other cases still pass',
    modes: modeNames,
    plant: (project) => project.remove(casesPath),
  },
  {
    name: 'a glob of case files matches nothing',
    why: 'the other cases still pass',
    plant(project) {
      project.suite.cases = project.suite.cases.map((entry) => ('file' in entry ? { file: 'cases/*.json' } : entry));
    },
  },
  {
    name: 'no cases',
    why: 'none of none fail',
    modes: modeNames,
    plant(project) {
      project.suite.cases = [];
    },
  },
  {
    name: 'no prompts',
    why: 'none of none fail',
    plant(project) {
      project.suite.prompts = [];
    },
  },
  {
    name: 'no providers',
    why: 'none of none fail',
    plant(project) {
      project.suite.providers = [];
    },
  },
  {
    name: 'prompts of a file of cases are none',
    why: 'its cases belong to no variant',
    plant: (project) => void Object.assign(project.suite.cases.at(-1) ?? {}, { prompts: [] }),
  },
  {
    name: 'providers of a file of cases are none',
    why: 'its cases belong to no variant',
    plant: (project) => void Object.assign(project.suite.cases.at(-1) ?? {}, { providers: [] }),
  },
  {
    name: 'every case is skipped',
    why: 'a suite may skip its own cases',
    modes: modeNames,
    plant(project) {
      for (const entry of project.suite.cases) entry['skip'] = 'later';
    },
  },
  {
    name: 'every case is observed',
    why: 'what is observed is not judged',
    modes: modeNames,
    plant(project) {
      for (const entry of project.suite.cases) entry['observe'] = true;
      project.answer = () => 'nonsense';
    },
  },
  {
    name: 'most cases are gone',
    why: 'the others still pass',
    modes: modeNames,
    plant(project) {
      project.suite.cases = project.suite.cases.slice(0, 1);
    },
    // One of the cases that are gone must pass.
    green: greenIn(
      modeNames.filter((name) => !/baseline|drift/.test(name)),
      'without a baseline nobody knows of the others',
    ),
  },
  {
    name: 'a failing case gets another id',
    why: 'a new case has nothing to be compared with',
    modes: modeNames,
    plant(project) {
      project.caseOf('charged')['expected'] = 'legal';
      project.caseOf('charged')['id'] = 'charged-again';
    },
  },
  {
    name: 'two cases of one id',
    why: 'the second takes the place of the first',
    plant: (project) => void (project.caseOf('charged')['id'] = 'login'),
  },
  {
    name: 'the last line of a file of cases is cut off',
    why: 'the lines before it are whole',
    plant: (project) => project.write(casesPath, project.read(casesPath).slice(0, -20)),
  },
  {
    name: 'a column of a CSV file is misspelt',
    why: 'an unknown column is a variable',
    project(project) {
      project.write('evals/cases/more.csv', 'id,email,expected\ndelivery,late delivery,shipping\n');
      project.suite.cases = [...project.suite.cases.slice(0, -1), { file: 'cases/more.csv' }];
    },
    plant: (project) => project.edit('evals/cases/more.csv', 'expected', 'expectd'),
  },
  {
    name: 'a cell of a CSV file is empty',
    why: 'every answer contains an empty text',
    project(project) {
      project.write('evals/cases/more.csv', 'id,email,expected\ndelivery,late delivery,shipping\n');
      project.suite.defaults = { assert: [{ contains: '{{ expected }}' }] };
      project.suite.cases = [...project.suite.cases.slice(0, -1), { file: 'cases/more.csv' }];
    },
    plant: (project) => project.edit('evals/cases/more.csv', ',shipping', ','),
  },
  {
    name: 'a quote of a CSV file is never closed',
    why: 'the rows after it become part of one cell',
    project(project) {
      project.write(
        'evals/cases/more.csv',
        'id,email,expected\ndelivery,late delivery,shipping\nreset,password reset,account\n',
      );
      project.suite.cases = [...project.suite.cases.slice(0, -1), { file: 'cases/more.csv' }];
    },
    plant: (project) => project.edit('evals/cases/more.csv', 'delivery,late', 'delivery,"late'),
  },
  {
    name: 'a CSV file with other separators',
    why: 'the header is one column',
    project(project) {
      project.write('evals/cases/more.csv', 'id,email,expected\ndelivery,late delivery,shipping\n');
      project.suite.cases = [...project.suite.cases.slice(0, -1), { file: 'cases/more.csv' }];
    },
    plant: (project) => project.write('evals/cases/more.csv', 'id;email;expected\ndelivery;late delivery;shipping\n'),
  },
  {
    name: 'a row of a CSV file is short of cells',
    why: 'a missing cell is an empty text',
    project(project) {
      project.write('evals/cases/more.csv', 'id,email,expected\ndelivery,late delivery,shipping\n');
      project.suite.defaults = { assert: [{ contains: '{{ expected }}' }] };
      project.suite.cases = [...project.suite.cases.slice(0, -1), { file: 'cases/more.csv' }];
    },
    plant: (project) => project.edit('evals/cases/more.csv', ',shipping', ''),
  },
  {
    name: 'a tag that no case has',
    why: 'none of none fail',
    modes: modeNames,
    plant(project) {
      project.env['LLMCHECK_TAG'] = 'smoke';
    },
  },
  {
    name: 'a filter that matches nothing',
    why: 'none of none fail',
    modes: modeNames,
    plant(project) {
      project.env['LLMCHECK_FILTER'] = 'refnd';
    },
  },
  {
    name: 'one of two filters matches nothing',
    why: 'the other selects something',
    modes: modeNames,
    plant(project) {
      project.env['LLMCHECK_FILTER'] = 'tickets/*,refnd';
    },
    green: greenIn(notResumed, 'a warning names the filter', /refnd/),
  },
  {
    name: 'one of two tags is on no case',
    why: 'the other selects something',
    project(project) {
      for (const entry of project.suite.cases) entry['tags'] = ['smoke'];
    },
    plant(project) {
      project.env['LLMCHECK_TAG'] = 'smoke,nightly';
    },
    green: greenIn(notResumed, 'a warning names the tag', /nightly/),
  },
  {
    name: 'a prompt that no suite has',
    why: 'none of none fail',
    plant(project) {
      project.env['LLMCHECK_PROMPT'] = 'v9';
    },
  },
  {
    name: 'a provider that no suite has',
    why: 'none of none fail',
    plant(project) {
      project.env['LLMCHECK_PROVIDER'] = 'maxi';
    },
  },
  {
    name: 'a variable of the prompt is misspelt',
    why: 'an unknown variable is an empty text',
    plant: (project) => project.write(promptPath, 'Which queue is this ticket for? {{ emial }}'),
  },
];
