import type { Story, Way } from '../way.ts';
import { answerWays } from './answers.ts';
import { baselineWays } from './baselines.ts';
import { caseWays } from './cases.ts';
import { checkWays } from './checks.ts';
import { classWays } from './classes.ts';
import { fileWays } from './files.ts';
import { judgeWays } from './judges.ts';
import { outputs } from './outputs.ts';
import { requestWays } from './requests.ts';
import { settingWays } from './settings.ts';
import { stories } from './stories.ts';
import { verdictWays } from './verdicts.ts';

/** Every way that the audit knows, by subject. */
export const ways: readonly (Way | Story)[] = [
  ...answerWays,
  ...checkWays,
  ...caseWays,
  ...fileWays,
  ...baselineWays,
  ...requestWays,
  ...judgeWays,
  ...settingWays,
  ...classWays,
  ...stories,
  ...outputs,
  ...verdictWays,
];
