/** What is tolerated where the gate of a suite does not say: a drop of a share, else an increase as a share. */
export const defaultMaxDrop = 0.05;
export const defaultMaxCostIncrease = 0.1;
export const defaultMaxStepsIncrease = 0.2;
export const defaultMaxLatencyIncrease = 0.2;
