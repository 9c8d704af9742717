/** The cache that several machines share, as configured; secrets are only in environment variables. */
export interface SharedCacheConfig {
  /** The address without a password. */
  readonly url?: string;
  /** The name of the variable that holds the address. */
  readonly urlEnv?: string;
  readonly username?: string;
  /** The name of the variable that holds the password. */
  readonly passwordEnv?: string;
  /** The address of a bucket that is not at AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly prefix: string;
  /** Older answers count as missing. */
  readonly ttlMs?: number;
  /** The limit for one answer. A slower store is not used for the rest of the run. */
  readonly timeoutMs: number;
}
