import type { CellStatus, SkipReason } from '../model/cell.ts';
import type { RowSummary } from '../model/summary.ts';

/** What a view reads of its table, by the number of its row. */
interface RowFields {
  variantAt(row: number): Pick<RowSummary, 'suite' | 'prompt' | 'provider'>;
  caseNumberAt(row: number): number;
  caseId(number: number): string;
  trialAt(row: number): number;
  stampAt(row: number): string;
  statusAt(row: number): CellStatus;
  isObserved(row: number): boolean;
  isMustPass(row: number): boolean;
  isConfirmation(row: number): boolean;
  isCached(row: number): boolean;
  scoreAt(row: number): number | undefined;
  latencyMsAt(row: number): number | undefined;
  costUsdAt(row: number): number | null | undefined;
  spentUsdAt(row: number): number | null | undefined;
  judgeCostUsdAt(row: number): number | null | undefined;
  skipReasonAt(row: number): SkipReason | undefined;
  answerHashAt(row: number): string | undefined;
  answerIdAt(row: number): string | undefined;
  modelAt(row: number): string | undefined;
  rowIndexAt(row: number): number;
}

/** Made by the million while two runs are compared, of which few fields are looked at: so none is read before. */
export class RowView implements RowSummary {
  readonly #table: RowFields;
  readonly #row: number;

  constructor(table: RowFields, row: number) {
    this.#table = table;
    this.#row = row;
  }

  get suite(): string {
    return this.#table.variantAt(this.#row).suite;
  }

  get prompt(): string {
    return this.#table.variantAt(this.#row).prompt;
  }

  get provider(): string {
    return this.#table.variantAt(this.#row).provider;
  }

  get caseId(): string {
    return this.#table.caseId(this.#table.caseNumberAt(this.#row));
  }

  get trial(): number {
    return this.#table.trialAt(this.#row);
  }

  get stamp(): string {
    return this.#table.stampAt(this.#row);
  }

  get status(): CellStatus {
    return this.#table.statusAt(this.#row);
  }

  get observe(): boolean {
    return this.#table.isObserved(this.#row);
  }

  get mustPass(): boolean {
    return this.#table.isMustPass(this.#row);
  }

  get confirmation(): boolean {
    return this.#table.isConfirmation(this.#row);
  }

  get cached(): boolean {
    return this.#table.isCached(this.#row);
  }

  get score(): number | undefined {
    return this.#table.scoreAt(this.#row);
  }

  get latencyMs(): number | undefined {
    return this.#table.latencyMsAt(this.#row);
  }

  get costUsd(): number | null | undefined {
    return this.#table.costUsdAt(this.#row);
  }

  get spentUsd(): number | null | undefined {
    return this.#table.spentUsdAt(this.#row);
  }

  get judgeCostUsd(): number | null | undefined {
    return this.#table.judgeCostUsdAt(this.#row);
  }

  get skipReason(): SkipReason | undefined {
    return this.#table.skipReasonAt(this.#row);
  }

  get answerHash(): string | undefined {
    return this.#table.answerHashAt(this.#row);
  }

  get answerId(): string | undefined {
    return this.#table.answerIdAt(this.#row);
  }

  get model(): string | undefined {
    return this.#table.modelAt(this.#row);
  }

  get rowIndex(): number {
    return this.#table.rowIndexAt(this.#row);
  }
}
