import type { AddCommand } from './add-command.ts';
import { addAssertions } from './assertions.ts';
import { addBaseline } from './baseline.ts';
import { addCache } from './cache.ts';
import { addCalibrate } from './calibrate.ts';
import { addCi } from './ci.ts';
import { addCompare } from './compare.ts';
import { addCompletion } from './completion.ts';
import { addContract } from './contract.ts';
import { addHistory } from './history.ts';
import { addImport } from './import.ts';
import { addInit } from './init.ts';
import { addJudge } from './judge.ts';
import { addList } from './list.ts';
import { addMerge } from './merge.ts';
import { addPlanSize } from './plan-size.ts';
import { addReport } from './report.ts';
import { addReview } from './review.ts';
import { addRun } from './run.ts';
import { addSchema } from './schema.ts';
import { addValidate } from './validate.ts';
import { addView } from './view.ts';
import { addWorker } from './worker.ts';

/** In the order of the help. */
export const commands: readonly AddCommand[] = [
  addRun,
  addWorker,
  addCompare,
  addBaseline,
  addReview,
  addContract,
  addAssertions,
  addPlanSize,
  addCalibrate,
  addJudge,
  addValidate,
  addList,
  addInit,
  addImport,
  addReport,
  addMerge,
  addHistory,
  addCi,
  addView,
  addCache,
  addSchema,
  addCompletion,
];
