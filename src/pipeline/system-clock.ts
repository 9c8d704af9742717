export { type Clock, systemClock } from '../execute/clock.ts';
