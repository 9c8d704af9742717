import type { DefineCommand } from '../define.ts';
import { defineGithub } from './ci-github.ts';
import { defineGitlab } from './ci-gitlab.ts';

export const define: DefineCommand = (ci, program) => {
  ci.addHelpText('after', '\nExamples:\n  $ llmcheck ci github --comment --check-run\n  $ llmcheck ci gitlab --note');
  defineGithub(ci, program);
  defineGitlab(ci, program);
};
