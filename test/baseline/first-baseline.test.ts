import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createFindMissing } from '../../src/baseline/first-baseline.ts';
import { openGitRef } from '../../src/project/git/git-files.ts';
import { commitAll, gitEnv, initRepository, runGit } from '../support/git.ts';
import { openTempProject } from '../support/temp-project.ts';

const baselineOf = (suite: string): string => `{"type":"baseline","suite":"${suite}"}\n{"type":"case"}\n`;

test('a ref without the baseline of a suite has moved it, never had it, or must not be without it', {
  tags: 'slow',
}, () => {
  const project = openTempProject();
  for (const name of ['a', 'b', 'old']) {
    project.write(`evals/${name}.eval.yaml`, `suite: ${name}\n`);
    project.write(`evals/${name}.baseline.jsonl`, baselineOf(name));
  }
  project.write('evals/broken.baseline.jsonl', 'no JSON\n');
  const first = initRepository(project.root);
  rmSync(project.path('evals/old.baseline.jsonl'));
  const removal = commitAll(project.root, 'remove').slice(0, 12);
  const find = (id: string, file: string, name = 'main') =>
    createFindMissing(openGitRef(project.root, name, gitEnv))({ id, file: project.path(file), env: gitEnv });
  const refused = (why: unknown) => ({ is: 'refused', why });

  expect(find('fresh', 'evals/fresh.baseline.jsonl')).toEqual({ is: 'first' });
  const back = `take it back with \`git checkout ${removal}^ -- evals/old.baseline.jsonl\``;
  expect(find('old', 'evals/old.baseline.jsonl')).toEqual(refused(`main had one until commit ${removal}; ${back}`));
  expect(find('a', 'evals/a.baseline.jsonl')).toEqual(refused('main has one by now; merge main into this branch'));

  // Its suite is in another file of the same name.
  rmSync(project.path('evals/b.eval.yaml'));
  project.write('evals/b.eval.ts', '');
  expect(find('terms', 'evals/terms.baseline.jsonl')).toMatchObject({ is: 'refused' });
  project.write('evals/b.eval.yaml', 'suite: b\n');
  expect(find('terms', 'evals/terms.baseline.jsonl')).toEqual({ is: 'first' });

  rmSync(project.path('evals/a.baseline.jsonl'));
  expect(find('a', 'shop/a.baseline.jsonl')).toEqual({ is: 'moved', from: project.path('evals/a.baseline.jsonl') });
  const hint = 'or its suite; keep the id of a suite that you rename or move, or remove a suite in a change of its own';
  const removed = 'this change removes evals/a.baseline.jsonl';
  expect(find('terms', 'evals/terms.baseline.jsonl')).toEqual(refused(`${removed}, ${hint}`));
  project.write('evals/a.baseline.jsonl', baselineOf('terms'));
  expect(find('terms', 'evals/terms.baseline.jsonl')).toEqual(refused(`${removed}, ${hint}`));
  rmSync(project.path('evals/b.eval.yaml'));
  expect(find('terms', 'evals/terms.baseline.jsonl')).toEqual(refused(`${removed} and 1 other baseline, ${hint}`));

  runGit(project.root, 'reset', '-q', '--hard');
  runGit(project.root, 'clean', '-qfd');
  project.write('evals/late.baseline.jsonl', baselineOf('late'));
  commitAll(project.root, 'late');
  runGit(project.root, 'checkout', '-q', first);
  const merge = 'merge main into this branch';
  expect(find('late', 'evals/other.baseline.jsonl', 'main...')).toEqual(
    refused(`main has one by now, evals/late.baseline.jsonl; ${merge}`),
  );
  expect(find('late', 'evals/late.baseline.jsonl', 'main...')).toEqual(refused(`main has one by now; ${merge}`));
  project.write('.git/shallow', `${first}\n`);
  expect(find('fresh', 'evals/fresh.baseline.jsonl', 'main...')).toEqual(
    refused(expect.stringMatching(/^the history of main is not in this clone, so it may have had one; ./)),
  );
});
