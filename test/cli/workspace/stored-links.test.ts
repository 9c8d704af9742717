import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readWorkspaceFolder, type WorkspaceFolder } from '../../../src/programs/workspace-folder.ts';
import { openTempProject, type TempProject, trialsOf } from '../../support/temp-project.ts';

/** A project whose stored answer holds this workspace. */
function openShop(): TempProject & { readonly answerWith: (created: object) => object } {
  const project = openTempProject();
  project.write('shop/cart.txt', 'cart');
  project.write('agent.mjs', '');
  project.write(
    'evals/shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: Mend the cart. }]
providers: [{ id: agent, use: "exec:node ../agent.mjs", workspace: ../shop }]
recordings: ../shop.jsonl
gate: { confirm: { budget: 0 } }
cases:
  - { id: mends, assert: [{ command: "sh -c 'echo written > out/payload'" }] }
`,
  );
  const { hash } = readWorkspaceFolder(project.path('shop'), project.root) as WorkspaceFolder;
  const answerWith = (created: object) => ({
    text: 'Done.',
    state: { workspace: { from: 'shop', hash, unchanged: ['cart.txt'], changed: {}, created, deleted: [] } },
  });
  return { ...project, answerWith };
}

/** As text, the second link stays inside. The system follows the first one, and is at the root of the disk then. */
const levels = 12;
const folders = 'deep/'.repeat(levels - 1);
const root = `${folders}in/${'../'.repeat(levels)}`;
const toWorkspace = { [`${folders}in`]: { link: '../'.repeat(levels - 1) } };

describe('a stored answer makes no folder and no link outside its workspace', () => {
  test.each([
    [
      'through a link',
      (victim: string) => ({
        ...toWorkspace,
        out: { link: root },
        [`out${victim}/hooks/pre-commit`]: { link: 'payload' },
      }),
      'hooks/pre-commit, but out is a link',
    ],
    [
      'by two links',
      (victim: string) => ({ ...toWorkspace, out: { link: `${root}${victim.slice(1)}` } }),
      'which leaves it',
    ],
  ])('%s', async (_name, createdFor, fault) => {
    const shop = openShop();
    const victim = openTempProject();
    const completion = shop.answerWith(createdFor(victim.root));
    const line = { prompt: 'v1', provider: 'agent', caseId: 'mends', completion };
    shop.write('shop.jsonl', `${JSON.stringify(line)}\n`);
    expect((await shop.run(['cache', 'import', 'shop.jsonl'])).code).toBe(0);
    const { report, code } = await shop.report(['run', '--no-baseline']);
    expect(code).toBe(3);
    expect(trialsOf(report)[0]?.checks[0]?.reason).toContain(fault);
    expect(readdirSync(victim.root)).toEqual([]);
  });
});
