/** The parts of undici that are bundled; its package describes only the whole. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';

  export default Client;
}

declare module 'undici/lib/core/symbols.js' {
  /** A CommonJS module, so its names come as one object. */
  const symbols: {
    /** Where a socket has its parser once its client is connected. */
    readonly kParser: unique symbol;
  };
  export default symbols;

  export interface Parser {
    onHeadersComplete(status: number, isUpgrade: boolean, keepsAlive: boolean): number;
  }
}
