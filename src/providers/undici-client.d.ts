/** The one part of undici that is bundled; its package describes only the whole. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';

  export default Client;
}
