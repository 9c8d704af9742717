import { modeNames } from '../modes.ts';
import type { Project } from '../project.ts';
import { completionOf } from '../replies.ts';
import { unasked, type Way } from '../way.ts';

function useJudge(project: Project): void {
  project.suite['judges'] = [{ id: 'strict', use: 'openai:gpt-4o', limits: { retries: 0 } }];
  project.suite.defaults = { assert: [{ rubric: 'The answer is a queue.' }] };
}

const verdict = (name: string, why: string, judge: Project['judge'], more: Partial<Way> = {}): Way => ({
  name,
  why,
  project: useJudge,
  plant(project) {
    project.judge = judge;
  },
  green: unasked,
  ...more,
});

/** Judges that say no, say nothing, or are others than before. */
export const judgeWays: readonly Way[] = [
  verdict('the judge says no', 'it is a model', () => JSON.stringify({ reason: 'no', pass: false })),
  verdict('the judge gives no verdict', 'what is not no is yes', () => 'Looks good to me!'),
  verdict('the judge says yes in a text', 'a text that is not empty is true', () =>
    JSON.stringify({ reason: 'ok', pass: 'no' }),
  ),
  verdict('the judge gives a score alone', 'a score is a verdict', () => JSON.stringify({ score: 1 })),
  verdict('the judge gives a score over 1', 'a large score is a good one', () =>
    JSON.stringify({ reason: 'ok', pass: true, score: 7 }),
  ),
  verdict(
    'the judge contradicts itself',
    'the first object counts',
    () => '{"reason":"a","pass":true} {"reason":"b","pass":false}',
  ),
  verdict(
    'the judge says no in a form that was not asked for, and then yes',
    'the one object that has the form counts',
    () => '{"reason":"a","pass":"false"} {"reason":"b","pass":true}',
  ),
  verdict(
    'the judge spells its no in capitals beside a high score',
    'a member that is not known counts for nothing',
    () => '{"reason":"a","Pass":false,"score":1}',
  ),
  verdict(
    'the judge says no and yes in one object',
    'the last of equal keys counts',
    () => '{"reason": "a", "pass": false, "pass": true}',
  ),
  verdict('the judge says yes with a score of 0', 'the score is passed over', () =>
    JSON.stringify({ reason: 'ok', pass: true, score: 0 }),
  ),
  verdict('the judge says yes where a score was asked for', 'a yes is the full score', () => '', {
    project(project) {
      useJudge(project);
      project.suite.defaults = { assert: [{ rubric: { value: 'The answer is a queue.', threshold: 0.8 } }] };
      project.judge = () => JSON.stringify({ reason: 'ok', score: 1 });
    },
    plant(project) {
      project.judge = () => JSON.stringify({ reason: 'ok', pass: true });
    },
  }),
  verdict('the judge gives nothing', 'no objection is a yes', () => ''),
  verdict('the judge fails', 'a check that can not be made is left out', () => ({
    status: 500,
    body: { error: { message: 'down' } },
  })),
  verdict('the judge refuses', 'a refusal holds no objection', () => ({
    body: completionOf(null, {}, { refusal: 'I will not judge.' }),
  })),
  verdict('the judge is cut off', 'the part that came says yes', () => ({
    body: completionOf('{"pass": true, "reas', { finish_reason: 'length' }),
  })),
  verdict('two of three votes say no', 'one says yes', () => '', {
    project(project) {
      useJudge(project);
      project.suite.defaults = { assert: [{ rubric: { value: 'The answer is a queue.', votes: 3 } }] };
    },
    plant(project) {
      let asked = 0;
      project.judge = () => {
        asked += 1;
        return JSON.stringify({ reason: 'vote', pass: asked % 3 === 0 });
      };
    },
  }),
  {
    name: 'the judge is gone from the suite',
    why: 'nobody is asked',
    project: useJudge,
    plant: (project) => void delete project.suite['judges'],
  },
  {
    name: 'no judges',
    why: 'nobody is asked',
    project: useJudge,
    plant: (project) => void (project.suite['judges'] = []),
  },
  {
    name: 'the criterion of the judge is edited, and it says no',
    why: 'its earlier verdict is kept',
    modes: modeNames,
    project: useJudge,
    plant(project) {
      project.suite.defaults = { assert: [{ rubric: 'The answer is a poem.' }] };
      project.judge = ({ raw }) => JSON.stringify({ reason: 'it says', pass: !raw.includes('poem') });
    },
  },
  {
    name: 'the judge listens at another address, and says no',
    why: 'its earlier verdicts are kept',
    modes: modeNames,
    project: useJudge,
    plant(project) {
      project.suite['judges'] = [
        { id: 'strict', use: 'openai:gpt-4o', baseURL: `${project.serverUrl}/other/v1`, apiKeyEnv: 'OTHER_KEY' },
      ];
      project.env['OTHER_KEY'] = 'sk-other-0123456789abcdef';
      project.judge = () => JSON.stringify({ reason: 'no', pass: false });
    },
  },
  {
    name: 'the program of a judge is edited, and says no',
    why: 'its command line is the same',
    modes: ['plain', 'cache', 'resume', 'baseline', 'baseline+resume'],
    project(project) {
      project.write(
        'evals/judge.sh',
        `cat > /dev/null; echo '{"text": "{\\"reason\\": \\"ok\\", \\"pass\\": true}"}'\n`,
      );
      project.suite['judges'] = [{ id: 'strict', use: 'exec:sh judge.sh' }];
      project.suite.defaults = { assert: [{ rubric: 'The answer is a queue.' }] };
    },
    plant: (project) => project.edit('evals/judge.sh', 'true', 'false'),
  },
];
