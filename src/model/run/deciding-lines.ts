import * as z from 'zod';
import { isJsonObject } from '../../json/json.ts';
import { filledText, jsonObject, type Stored, share } from '../../json/stored.ts';
import type { PromptFindings } from '../comparison/finding.ts';
import type { Breach } from '../comparison/gate.ts';
import { rowClassSchema } from '../suite/classes.ts';
import { cellStatuses } from './cell.ts';
import type { CellRow, EndRow, ResumeRow, RunHeader } from './record.ts';
import { cellRowSchema } from './record.ts';

const comparedRoles = ['baseline', 'own', 'reference'] as const;

/** What a run is compared with: the accepted baseline, the one that the change itself brings, or the pinned reference. */
export type ComparedRole = (typeof comparedRoles)[number];

/** What reports say of the baseline that a run was compared with. */
const comparedHeadSchema = z.object({
  source: z.string(),
  /** When it was accepted, as an ISO date; undefined if that is not known. */
  acceptedAt: z.string().exactOptional(),
  /** Set if the commit never had a baseline of the suite, and this is the one that the change adds. */
  isFirst: z.literal(true).exactOptional(),
});

export type ComparedHead = Stored<typeof comparedHeadSchema>;

/** A line of a baseline, as it was when the run was compared with it. The first one of a role and suite has the `head`. */
const comparedLineSchema = z.object({
  type: z.literal('compared'),
  role: z.enum(comparedRoles),
  suite: z.string(),
  head: comparedHeadSchema.exactOptional(),
  /** It is checked when the baseline is read. */
  line: jsonObject,
});

export type ComparedLine = Stored<typeof comparedLineSchema>;

/** Checks as they were accepted, so that new answers can be judged by them. Cases name them by a part of their hash. */
export const storedChecksSchema = z.object({
  type: z.literal('checks'),
  hash: filledText.describe('The second part of the caseHash of the cases that have these checks.'),
  threshold: share.exactOptional(),
  checks: z.array(jsonObject).describe('Each check as a suite would write it, rendered.'),
});

export type StoredChecks = Stored<typeof storedChecksSchema>;

const { trial, caseHash, prompt, provider, caseId } = cellRowSchema.shape;

const judgedTrialSchema = z.object({ trial, status: z.enum(cellStatuses), score: share.exactOptional() });

export type JudgedTrial = Stored<typeof judgedTrialSchema>;

const judgedCase = { type: z.literal('judged'), suite: z.string(), prompt, provider, caseId };

/** A verdict on an answer by other checks than those that it was first judged by. */
const judgedLineSchema = z.discriminatedUnion('by', [
  /** Accepted answers, judged by the checks of this run. `caseHash` is that of the case in this run. */
  z.object({
    ...judgedCase,
    by: z.literal('new-checks'),
    role: z.enum(comparedRoles),
    caseHash,
    trials: z.array(judgedTrialSchema),
  }),
  /** Accepted answers, classified as this run classifies. */
  z.object({
    ...judgedCase,
    by: z.literal('classes'),
    role: z.enum(comparedRoles),
    trials: z.array(z.object({ trial, classified: rowClassSchema })),
  }),
  /** Answers of this run, judged by the accepted checks. */
  z.object({
    ...judgedCase,
    by: z.literal('accepted-checks'),
    /** `unknown`: a check could not be made again. `not-kept`: the baseline keeps no checks. */
    verdict: z.enum(['passes', 'fails', 'unknown', 'not-kept']),
    /** The checks that differ, as written. */
    before: z.array(z.string()),
    after: z.array(z.string()),
    /** Why the answers fail. */
    reason: z.string().exactOptional(),
  }),
]);

export type JudgedLine = Stored<typeof judgedLineSchema>;

/** What the output contracts of the run's prompts broke. */
const contractsLineSchema = z.object({
  type: z.literal('contracts'),
  contracts: z.array(z.custom<PromptFindings>(isJsonObject)),
  failures: z.array(z.custom<Breach>(isJsonObject)),
  warnings: z.array(z.string()),
});

export type ContractsLine = Stored<typeof contractsLineSchema>;

/** A line beside the rows of cells that a decision needs. */
export const decidingLineSchema = z.discriminatedUnion('type', [
  comparedLineSchema,
  storedChecksSchema,
  judgedLineSchema,
  contractsLineSchema,
]);

export type DecidingLine = Stored<typeof decidingLineSchema>;

export type RecordRow = RunHeader | CellRow | DecidingLine | ResumeRow | EndRow;
