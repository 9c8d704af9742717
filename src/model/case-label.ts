export function caseLabel(suiteId: string, caseId: string): string {
  return `${suiteId}/${caseId}`;
}
