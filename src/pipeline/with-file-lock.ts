export { withFileLock } from '../stores/file-lock.ts';
