/** The parts of undici that are bundled; its package describes only the whole. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';

  export default Client;
}

declare module 'undici/lib/core/symbols.js' {
  /** Where a socket has its parser once its client is connected. */
  export const kParser: unique symbol;

  export interface Parser {
    onHeadersComplete(status: number, isUpgrade: boolean, keepsAlive: boolean): number;
  }
}
