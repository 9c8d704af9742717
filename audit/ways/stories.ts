import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { listRuns, mustPass, runShards } from '../modes.ts';
import { baselinePath, casesPath, type Project, promptPath, queueOf, suitePath } from '../project.ts';
import type { Story } from '../way.ts';

const recordings = 'evals/recordings/tickets.jsonl';

/** Records the right answers. */
async function record(project: Project): Promise<void> {
  project.suite['recordings'] = 'recordings/tickets.jsonl';
  await mustPass(project, 'run', '--record');
}

const recorded = (name: string, why: string, plant: (project: Project) => void): Story => ({
  name: `recordings: ${name}`,
  why,
  async story(project, isPlanted) {
    await record(project);
    if (isPlanted) plant(project);
    return project.llmcheck('run');
  },
});

function dropLatencies(project: Project): void {
  const lines = project.read(recordings).trimEnd().split('\n');
  const rows = lines.map((line) => {
    const row = JSON.parse(line) as { completion: Record<string, unknown> };
    delete row.completion['latencyMs'];
    return JSON.stringify(row);
  });
  project.write(recordings, `${rows.join('\n')}\n`);
}

function git(project: Project, ...argv: readonly string[]): void {
  execFileSync(
    'git',
    ['-c', 'user.name=Audit', '-c', 'user.email=audit@example.com', '-c', 'commit.gpgsign=false', ...argv],
    {
      cwd: project.root,
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], HOME: project.root, GIT_CONFIG_NOSYSTEM: '1' },
    },
  );
}

/** A committed suite that passes, of which one file then changes: `run --changed` must run it. */
const changed = (name: string, project: (project: Project) => void, plant: (project: Project) => void): Story => ({
  name: `--changed: ${name}`,
  why: 'the file is not known to belong to the suite, so nothing runs',
  async story(opened, isPlanted) {
    project(opened);
    opened.env['PATH'] = process.env['PATH'] ?? '';
    opened.write('.gitignore', '.llmcheck/\n');
    await mustPass(opened, 'run');
    git(opened, 'init', '-q', '-b', 'main');
    git(opened, 'add', '.');
    git(opened, 'commit', '-q', '-m', 'Accept');
    if (isPlanted) plant(opened);
    return opened.llmcheck('run', '--changed', 'HEAD', '--allow-empty');
  },
});

/** Candidates for a provider: one that holds in the control. */
const swap = (name: string, why: string, plant: (project: Project) => void): Story => ({
  name: `swap: ${name}`,
  why,
  async story(project, isPlanted) {
    const [first = ''] = project.suite.providers;
    const id = typeof first === 'string' ? first : String(first['id']);
    if (isPlanted) plant(project);
    return project.llmcheck('swap', `${id}=openai:candidate`, '--cache', 'off');
  },
});

/** Answers of the candidate alone. */
function answerCandidate(project: Project, answer: string): void {
  project.answer = ({ model, text }) => (model === 'candidate' ? answer : queueOf(text));
}

/** What has commands of its own. */
export const stories: readonly Story[] = [
  swap('a candidate with wrong answers', 'the provider passes', (project) => answerCandidate(project, 'nonsense')),
  swap('a candidate without answers', 'nothing of it is compared', (project) => answerCandidate(project, '')),
  swap('a provider that the suite does not have', 'no candidate is compared', ({ suite }) => {
    suite.providers = suite.providers.map((provider) => ({ ...Object(provider), id: 'other' }));
  }),
  recorded('none', 'what is not recorded is left out', (project) => project.write(recordings, '')),
  recorded('gone', 'what is not recorded is left out', (project) => project.remove(recordings)),
  recorded('of another prompt', 'the case has the same name', (project) =>
    project.write(promptPath, 'Edited: {{ email }}'),
  ),
  recorded('with another hash', 'the case has the same name', (project) =>
    project.write(recordings, project.read(recordings).replaceAll(/"requestHash":"..../g, '"requestHash":"0000')),
  ),
  recorded('with wrong answers', 'they are what was recorded', (project) =>
    project.write(recordings, project.read(recordings).replaceAll('"billing"', '"legal"')),
  ),
  recorded('of one case twice, with other answers', 'one of both is taken', (project) => {
    const [first = ''] = project.read(recordings).split('\n');
    project.write(recordings, `${first.replace(/"text":"[a-z]+"/, '"text":"legal"')}\n${project.read(recordings)}`);
  }),
  recorded('a new case', 'what is not recorded is left out', (project) =>
    project.write(
      casesPath,
      `${project.read(casesPath)}{"id":"new","vars":{"email":"late delivery again"},"expected":"shipping"}\n`,
    ),
  ),
  {
    name: 'recordings: a limit of latency that no answer tells',
    why: 'an unknown latency is under every limit',
    async story(project, isPlanted) {
      await record(project);
      dropLatencies(project);
      if (isPlanted) project.suite['gate'] = { latency: { p95Max: '1ms' } };
      return project.llmcheck('run');
    },
  },
  {
    name: 'recordings: a latency check that no answer tells',
    why: 'an unknown latency is under every limit',
    async story(project, isPlanted) {
      await record(project);
      dropLatencies(project);
      if (isPlanted) project.suite.defaults = { assert: [{ equals: '{{ expected }}' }, { latency: { max: '60s' } }] };
      return project.llmcheck('run');
    },
  },
  {
    name: 'recordings: a limit of the time to the first token that no answer tells',
    why: 'an unknown time is under every limit',
    async story(project, isPlanted) {
      await record(project);
      if (isPlanted) project.suite['gate'] = { latency: { firstTokenP95Max: '60s' } };
      return project.llmcheck('run');
    },
  },
  {
    name: 'recordings: a check of the time to the first token that no answer tells',
    why: 'an unknown time is under every limit',
    async story(project, isPlanted) {
      await record(project);
      const checks = [{ equals: '{{ expected }}' }, { latency: { firstToken: '60s' } }];
      if (isPlanted) project.suite.defaults = { assert: checks };
      return project.llmcheck('run');
    },
  },
  {
    name: 'recordings: a finish reason that nobody wrote',
    why: 'import fills in a reason',
    async story(project, isPlanted) {
      await record(project);
      const rows = project.read(recordings).trimEnd().split('\n');
      const byHand = rows.map((line) => {
        const { prompt, provider, caseId, trial, completion } = JSON.parse(line) as Record<string, unknown> & {
          completion: { text: string };
        };
        return JSON.stringify({ prompt, provider, caseId, trial, completion: { text: completion.text } });
      });
      project.write(recordings, `${byHand.join('\n')}\n`);
      await mustPass(project, 'cache', 'import', recordings);
      if (isPlanted) project.suite.defaults = { assert: [{ equals: '{{ expected }}' }, { finishReason: 'stop' }] };
      return project.llmcheck('run');
    },
  },
  {
    name: 'a third snapshot after two that were accepted',
    why: 'the second was stored as failed, so that every next one is a known failure',
    async story(project, isPlanted) {
      project.suite.defaults = { assert: [{ snapshot: 'exact' }] };
      project.suite.cases = project.suite.cases.slice(0, 2);
      const say = async (word: string) => {
        project.answer = () => word;
        return project.llmcheck('run', '--cache', 'off');
      };
      await say('one');
      await mustPass(project, 'baseline', 'accept', '--force');
      if ((await say('two')) === 0) return 0;
      await mustPass(project, 'baseline', 'accept', '--force');
      return say(isPlanted ? 'three' : 'two');
    },
  },
  {
    name: 'a failed run updates the baseline',
    why: 'afterwards every failure is known',
    async story(project, isPlanted) {
      await mustPass(project, 'run', '--cache', 'off');
      await mustPass(project, 'baseline', 'accept');
      if (isPlanted) project.answer = () => 'nonsense';
      await project.llmcheck('run', '--cache', 'off', '--update-baseline');
      return project.llmcheck('run', '--cache', 'off');
    },
  },
  {
    name: 'an incomplete run updates the baseline',
    why: 'afterwards the cases that did not run are gone',
    async story(project, isPlanted) {
      await mustPass(project, 'run', '--cache', 'off');
      await mustPass(project, 'baseline', 'accept');
      const before = project.read(baselinePath);
      const budget = isPlanted ? ['--max-cost', '0.00006'] : [];
      const code = await project.llmcheck('run', '--cache', 'off', '-j', '1', '--update-baseline', ...budget);
      return project.read(baselinePath) === before ? code : 0;
    },
  },
  {
    name: 'known failures of cases that must pass',
    why: 'acceptance makes every failure a known one',
    async story(project, isPlanted) {
      for (const entry of project.suite.cases) entry['mustPass'] = true;
      if (isPlanted) project.answer = () => 'nonsense';
      await project.llmcheck('run', '--cache', 'off');
      return project.llmcheck('baseline', 'accept');
    },
  },
  {
    name: 'a version that replaces another, without a baseline, and both are wrong',
    why: 'the new version is no worse than the old one',
    async story(project, isPlanted) {
      project.suite.prompts.push({ id: 'v2', text: 'Second: {{ email }}', replaces: 'v1' });
      if (isPlanted) project.answer = () => 'nonsense';
      return project.llmcheck('run', '--cache', 'off');
    },
  },
  {
    name: 'two versions of one run are compared, and both are wrong',
    why: 'the second is no worse than the first',
    async story(project, isPlanted) {
      project.suite.prompts.push({ id: 'v2', text: 'Second: {{ email }}' });
      if (isPlanted) project.answer = () => 'nonsense';
      return project.llmcheck('run', '--cache', 'off', '--compare', 'v1,v2');
    },
  },
  {
    name: 'two versions whose schemas differ in their order share an answer',
    why: 'the cache and calls in flight take both requests for one',
    async story(project, isPlanted) {
      const properties = { reasoning: { type: 'string' }, queue: { type: 'string' } };
      const turned = { queue: { type: 'string' }, reasoning: { type: 'string' } };
      const format = (of: object) => ({
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'a', schema: { type: 'object', properties: of } },
        },
      });
      project.suite.prompts = [
        { id: 'v1', file: 'prompts/ticket.md', params: format(properties) },
        { id: 'v2', file: 'prompts/ticket.md', params: format(isPlanted ? turned : properties) },
      ];
      project.answer = ({ raw, text }) =>
        raw.indexOf('"reasoning"') < raw.indexOf('"queue"') ? queueOf(text) : 'nonsense';
      return project.llmcheck('run');
    },
  },
  {
    name: 'a shard is missing from the merge',
    why: 'the others passed',
    async story(project, isPlanted) {
      await project.llmcheck('run', '--shard', '1/2');
      await project.llmcheck('run', '--shard', '2/2');
      const records = listRuns(project);
      return project.llmcheck('merge', ...(isPlanted ? records.slice(1) : records));
    },
  },
  {
    name: 'a shard is merged twice in the place of another',
    why: 'there are as many as there must be',
    async story(project, isPlanted) {
      await project.llmcheck('run', '--shard', '1/2');
      await project.llmcheck('run', '--shard', '2/2');
      const [first = '', second = ''] = listRuns(project);
      return project.llmcheck('merge', first, isPlanted ? first : second);
    },
  },
  {
    name: 'shards of other trials are merged',
    why: 'each is whole by itself',
    async story(project, isPlanted) {
      await project.llmcheck('run', '--shard', '1/2', '--trials', '3');
      await project.llmcheck('run', '--shard', '2/2', '--trials', isPlanted ? '1' : '3');
      return project.llmcheck('merge', ...listRuns(project));
    },
  },
  {
    name: 'shards of other selections are merged',
    why: 'each is whole by itself',
    async story(project, isPlanted) {
      await project.llmcheck('run', '--shard', '1/2', '--allow-empty');
      await project.llmcheck('run', '--shard', '2/2', '--allow-empty', ...(isPlanted ? ['-t', 'tickets/refund'] : []));
      return project.llmcheck('merge', ...listRuns(project));
    },
  },
  {
    name: 'shards of another state of the prompt are merged',
    why: 'each is whole by itself',
    async story(project, isPlanted) {
      await project.llmcheck('run', '--shard', '1/2');
      if (isPlanted) project.write(promptPath, 'Edited: {{ email }}');
      await project.llmcheck('run', '--shard', '2/2');
      return project.llmcheck('merge', ...listRuns(project));
    },
  },
  {
    name: 'the first shard writes the baseline that the second is cut by',
    why: 'cases fall between the shards',
    async story(project, isPlanted) {
      // The one case that is wrong must be in one of the shards, wherever they are cut.
      await mustPass(project, 'run', '--cache', 'off');
      await mustPass(project, 'baseline', 'accept');
      for (const id of ['refund', 'parcel', 'login', 'charged', 'delivery', 'reset']) {
        const email =
          {
            refund: 'refund please',
            parcel: 'parcel lost',
            login: 'cannot log in',
            charged: 'charged twice',
            delivery: 'late delivery',
            reset: 'password reset',
          }[id] ?? '';
        project.write(promptPath, 'Edited: {{ email }}');
        if (isPlanted) {
          project.answer = ({ text }) => (text.includes('Edited') && text.includes(email) ? 'nonsense' : queueOf(text));
        }
        const before = project.read(baselinePath);
        // The merge refuses shards that were compared with two baselines.
        const code = await runShards(project, isPlanted ? ['--update-baseline'] : []);
        project.write(baselinePath, before);
        if (isPlanted ? code === 0 : code !== 0) return code;
      }
      return isPlanted ? 1 : 0;
    },
  },
  {
    name: 'a shard that does not exist',
    why: 'an empty shard is fine',
    story: (project, isPlanted) => project.llmcheck('run', '--shard', isPlanted ? '3/2' : '2/2'),
  },
  {
    name: 'a resumed run whose record was cut',
    why: 'the cells that are left passed',
    async story(project, isPlanted) {
      await project.interrupt(4, 'run', '--cache', 'off', '-j', '1');
      const [file = ''] = listRuns(project);
      if (isPlanted) {
        project.write(file, project.read(file).slice(0, -30));
        project.answer = ({ text }) => (/cannot log in|charged|delivery/.test(text) ? 'nonsense' : queueOf(text));
      }
      return project.llmcheck('run', '--cache', 'off', '--resume');
    },
  },
  {
    name: 'the report of an interrupted run',
    why: 'the cells that ran passed',
    async story(project, isPlanted) {
      if (!isPlanted) await mustPass(project, 'run', '--cache', 'off');
      else await project.interrupt(2, 'run', '--cache', 'off', '-j', '1');
      return project.llmcheck('baseline', 'accept');
    },
  },
  {
    name: 'a record of the future is accepted in the place of the last run',
    why: 'it is the newest by its date',
    async story(project, isPlanted) {
      project.now = new Date('2099-01-01T00:00:00Z');
      await mustPass(project, 'run', '--cache', 'off');
      project.now = undefined;
      if (isPlanted) project.answer = () => 'nonsense';
      await project.llmcheck('run', '--cache', 'off');
      await project.llmcheck('baseline', 'accept', '--force');
      // What was accepted must be the answers of the last run.
      const isLast = project.read(baselinePath).includes('nonsense');
      return isPlanted && isLast ? 1 : 0;
    },
  },
  {
    name: 'only the failed cases of the last run, after a run of the future',
    why: 'nothing failed in it',
    async story(project, isPlanted) {
      project.now = new Date('2099-01-01T00:00:00Z');
      await mustPass(project, 'run', '--cache', 'off');
      project.now = undefined;
      if (!isPlanted) return project.llmcheck('run', '--cache', 'off', '--last-failed', '--allow-empty');
      project.answer = () => 'nonsense';
      await project.llmcheck('run', '--cache', 'off');
      return project.llmcheck('run', '--cache', 'off', '--last-failed', '--allow-empty');
    },
  },
  {
    name: 'a baseline of a file that is not there',
    why: 'no baseline is a piece of news',
    story: (project, isPlanted) => project.llmcheck('run', ...(isPlanted ? ['--baseline', 'evals/gone.jsonl'] : [])),
  },
  {
    name: 'a path that is not there beside one that is',
    why: 'the other is found',
    story: (project, isPlanted) => project.llmcheck('run', suitePath, ...(isPlanted ? ['evals/gone.eval.yaml'] : [])),
  },
  {
    name: 'a glob that matches no suite beside one that does',
    why: 'the other is found',
    async story(project, isPlanted) {
      const code = await project.llmcheck('run', suitePath, ...(isPlanted ? ['packages/*/evals/*.eval.yaml'] : []));
      // A warning is enough; nothing at all is a false green.
      return isPlanted && code === 0 && project.output.includes('packages/*/evals') ? 1 : code;
    },
  },
  {
    name: 'a second suite whose cases all left',
    why: 'the first one passes',
    async story(project, isPlanted) {
      project.write(
        'evals/other.eval.yaml',
        project.read(suitePath).replace('"suite": "tickets"', '"suite": "mail"').replace('more.jsonl', 'mail.jsonl'),
      );
      project.write(
        'evals/cases/mail.jsonl',
        '{"id":"delivery","vars":{"email":"late delivery"},"expected":"shipping"}\n',
      );
      await mustPass(project, 'run');
      if (isPlanted)
        project.write(
          'evals/other.eval.yaml',
          project
            .read('evals/other.eval.yaml')
            .replace(/"cases": \[[\s\S]*\]/, '"cases": [{ "file": "cases/mail.jsonl" }]'),
        );
      if (isPlanted) project.write('evals/cases/mail.jsonl', '');
      return project.llmcheck('run');
    },
  },
  {
    name: 'a report that can not be written',
    why: 'the run passed',
    async story(project, isPlanted) {
      await mustPass(project, 'run');
      mkdirSync(project.path('taken'));
      return project.llmcheck('report', 'latest', '-r', `json=${isPlanted ? 'taken' : 'report.json'}`);
    },
  },
  {
    name: 'a baseline that can not be written',
    why: 'the run passed',
    async story(project, isPlanted) {
      await mustPass(project, 'run');
      if (isPlanted) mkdirSync(project.path(baselinePath));
      return project.llmcheck('baseline', 'accept');
    },
  },
  {
    name: 'a record that names a suite outside of the project',
    why: 'acceptance follows its path',
    async story(project, isPlanted) {
      await mustPass(project, 'run');
      const [file = ''] = listRuns(project);
      if (isPlanted) project.edit(file, '"evals/tickets.eval.yaml"', '"../outside.eval.yaml"');
      return project.llmcheck('baseline', 'accept', '--run', file);
    },
  },
  {
    name: 'a stored run is another kind of file',
    why: 'lines that are no rows are left out',
    async story(project, isPlanted) {
      await mustPass(project, 'run');
      const [file = ''] = listRuns(project);
      if (isPlanted) project.write(file, '{}\n');
      return project.llmcheck('report', file);
    },
  },
  {
    name: 'two accepted answers at once',
    why: 'the second writer overwrites what the first one wrote',
    async story(project, isPlanted) {
      await mustPass(project, 'run');
      if (!isPlanted) return project.llmcheck('baseline', 'accept');
      const ids = ['refund', 'parcel', 'login', 'charged'];
      for (const id of ids) await mustPass(project, 'run', '-t', `tickets/${id}`);
      await Promise.all(
        listRuns(project)
          .slice(1)
          .map((file) => project.llmcheck('baseline', 'accept', '--run', file)),
      );
      return ids.every((id) => project.read(baselinePath).includes(`"caseId":"${id}"`)) ? 1 : 0;
    },
  },
  changed(
    'a prompt',
    () => {},
    (project) => {
      project.write(promptPath, 'Edited: {{ email }}');
      project.answer = ({ text }) => (text.includes('Edited') ? 'nonsense' : queueOf(text));
    },
  ),
  changed(
    'a file of cases',
    () => {},
    (project) => project.edit(casesPath, '"expected":"shipping"', '"expected":"legal"'),
  ),
  changed(
    'a new file of cases under a glob',
    (project) => {
      project.suite.cases = project.suite.cases.map((entry) => ('file' in entry ? { file: 'cases/*.jsonl' } : entry));
    },
    (project) =>
      project.write('evals/cases/new.jsonl', '{"id":"new","vars":{"email":"late delivery"},"expected":"legal"}\n'),
  ),
  changed(
    'a schema',
    (project) => {
      project.write('evals/schemas/ticket.json', '{"type":"object"}');
      project.answer = () => '{}';
      project.suite.defaults = { assert: [{ jsonSchema: 'schemas/ticket.json' }] };
    },
    (project) => project.write('evals/schemas/ticket.json', '{"type":"array"}'),
  ),
  changed(
    'what a module imports',
    (project) => {
      project.write('evals/checks/words.mjs', "export const forbidden = 'zebra';\n");
      project.write(
        'evals/checks/check.mjs',
        "import { forbidden } from './words.mjs';\nexport default ({ text }) => ({ pass: !text.includes(forbidden) });\n",
      );
      project.suite.defaults = { assert: [{ module: 'checks/check.mjs' }] };
    },
    (project) => project.edit('evals/checks/words.mjs', 'zebra', 'ing'),
  ),
  changed(
    'a program',
    (project) => {
      project.write('evals/checks/check.sh', `cat > /dev/null; echo '{"pass": true}'\n`);
      project.suite.defaults = { assert: [{ exec: 'sh checks/check.sh' }] };
    },
    (project) => project.edit('evals/checks/check.sh', 'true', 'false'),
  ),
  changed(
    'the config',
    () => {},
    (project) => project.write('llmcheck.config.yaml', 'gate: { cost: { max: 0.0000001 } }\n'),
  ),
  changed(
    'a partial of a prompt',
    (project) => {
      project.write('evals/prompts/rules.md', 'Be short.');
      project.suite.prompts = [
        {
          id: 'v1',
          messages: [
            { role: 'system', file: 'prompts/rules.md' },
            { role: 'user', content: '{{ email }}' },
          ],
        },
      ];
    },
    (project) => {
      project.write('evals/prompts/rules.md', 'Edited.');
      project.answer = ({ raw, text }) => (raw.includes('Edited') ? 'nonsense' : queueOf(text));
    },
  ),
];
