/** A part of what a run was asked for that brings no case. */
export interface EmptySelection {
  readonly message: string;
  /** True where all of a named file or suite is gone: the run is then incomplete. */
  readonly isNamed: boolean;
}
