/** Who wrote a comment, from its first line. */
export interface ReportMark {
  /** Tells several comments on one request apart. */
  readonly id: string;
  /** A later run has a higher one. */
  readonly runId: number;
  /** The attempt of the run, or the job in it. */
  readonly part: number;
  readonly commit: string;
  /** Drawn at random for each process. */
  readonly writer: string;
  /** Tells jobs of one id apart, if that is known. */
  readonly job?: string | undefined;
}

/** A line that no page shows. The comment is found by it. */
export function writeReportMark({ id, runId, part, commit, writer, job }: ReportMark): string {
  const ofJob = job === undefined ? '' : ` job=${job}`;
  return `<!-- llmcheck:${id} run=${runId}.${part} commit=${commit} by=${writer}${ofJob} -->`;
}

export function readReportMark(body = ''): ReportMark | undefined {
  const [, id = '', runId, part, commit = '', writer = '', job] =
    /^<!-- llmcheck:(\S+) run=(\d+)\.(\d+) commit=(\w*) by=(\w+)(?: job=(\w+))? -->/.exec(body) ?? [];
  return id === '' ? undefined : { id, runId: Number(runId), part: Number(part), commit, writer, job };
}
