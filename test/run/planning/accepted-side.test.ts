import { describe, expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openAccepted, openRunProject, wordsSuite } from '../run-project.ts';

const file = 'evals/words.eval.yaml';

/** A suite whose provider is asked over HTTP at this address. */
const remoteSuite = (url: string, settings = '') => `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: own, use: "openai:small", baseURL: "${url}/v1"${settings}, price: { input: 1, output: 2 } }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${['w00', 'w01', 'w02', 'w03'].map((word) => `  - { id: ${word}, vars: { word: ${word} } }\n`).join('')}`;

/** An accepted project, whose server answers wrong what `isBroken` says of a request. */
async function openRemote(isBroken: (body: Readonly<Record<string, unknown>>, headers: Headers) => boolean) {
  const server = await startChatServer(({ text, body, received }) =>
    isBroken(body, new Headers(received.headers as Record<string, string>)) ? 'sorry' : text.replace(/^.*: /, ''),
  );
  const project = openRunProject({ [file]: remoteSuite(server.url) });
  const env = { OPENAI_API_KEY: 'sk-test-0123456789abcdef' };
  await project.go({ env, updateBaseline: true });
  const go = (settings: string, options: object = {}) => {
    project.write(file, remoteSuite(server.url, settings));
    return project.go({ env, ...options });
  };
  return { go };
}

const kindOf = ({
  report: { decision, exitCode },
}: Awaited<ReturnType<Awaited<ReturnType<typeof openRemote>>['go']>>) =>
  [exitCode, decision.outcome, decision.kind, decision.certainty?.kind] as const;

describe('a provider whose settings changed', () => {
  test('with a model that breaks everything is not excused by asking the baseline again', async () => {
    const project = await openAccepted({ [file]: wordsSuite(4) });
    project.reply = (text, _asked, model) => (model === 'other' ? 'sorry' : text.replace(/^.*: /, ''));
    project.edit(file, 'own:model', 'own:other');
    for (const rerunBaseline of [false, true]) {
      const run = await project.go({ rerunBaseline, cache: 'off' });
      expect(run.report.exitCode).toBe(1);
      expect(run.report.decision).toMatchObject({ outcome: 'failed', kind: 'broken' });
      expect(run.report.decision.evidence).toHaveLength(4);
      for (const { acceptedFailed } of run.report.decision.evidence) expect(acceptedFailed).toBe(0);
    }
  });

  test.each([false, true])(
    'by a new header is asked without it as the baseline (--rerun-baseline: %s)',
    async (rerunBaseline) => {
      const { go } = await openRemote((_body, headers) => headers.get('x-mode') === 'fast');
      const run = await go(', headers: { X-Mode: fast }', { rerunBaseline, cache: 'off' });
      expect(kindOf(run).slice(0, 3)).toEqual([1, 'failed', 'broken']);
      for (const { acceptedAsked, acceptedFailed } of run.report.decision.evidence.filter(
        ({ verdict }) => verdict === 'broken',
      ))
        expect([acceptedAsked > 0, acceptedFailed]).toEqual([true, 0]);
    },
  );

  test('by a header that can not be restored is compared with the stored answers, and a note says why', async () => {
    const { go } = await openRemote(() => false);
    await go(', headers: { X-Mode: slow }', { updateBaseline: true });
    const run = await go(', headers: { X-Mode: fast }', { rerunBaseline: true });
    expect(run.report.notes.join('\n')).toContain(
      '--rerun-baseline: words: the accepted prompt v1 is not asked again on own, since a header of provider "own" has changed, and only its hash is kept; answers there are compared with the stored ones',
    );
    expect(run.report.suites[0]?.variants.map(({ prompt }) => prompt)).toEqual(['v1']);
    expect(kindOf(run)[3]).not.toBe('unchanged');
  });

  test('by streaming sends something else, so that nothing is called unchanged', async () => {
    const { go } = await openRemote(() => false);
    expect(kindOf(await go(''))).toEqual([0, 'passed', 'unchanged', 'unchanged']);
    const streamed = await go(', stream: true', { cache: 'off' });
    expect(streamed.report.suites[0]?.variants[0]?.comparison?.against).toBeDefined();
    expect(kindOf(streamed)[3]).not.toBe('unchanged');
  });
});
